from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from warren.config.provisioning import broker, management

LOGIN = (broker.ADMIN, settings.BROKER_PASSWORD)


def test_it_asks_the_next_node_when_one_does_not_answer() -> None:
    here = str(urlsplit(settings.CELERY_BROKER_URL).hostname)

    with management.connect(["127.0.0.1", here, "nowhere.invalid"], login=LOGIN) as api:
        assert api.base_url.host == here
        assert api.get("whoami").json()["name"] == broker.ADMIN


def test_it_raises_when_it_is_used_and_no_node_answers() -> None:
    with management.connect(["127.0.0.1", "127.0.0.2"], login=LOGIN) as api, pytest.raises(httpx.TransportError):
        api.get("overview")

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture(autouse=True)
def without_static_files(settings: Settings) -> None:
    """Nobody has collected them here, and WhiteNoise warns of that."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "web-5d8f.pods.example", "[fd00::7]:8000"])
def test_a_probe_may_ask_by_any_name(client: Client, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_readiness_too(client: Client) -> None:
    assert client.get("/readyz", headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/docs/", "/livez/", "/livez/../api/docs/"])
def test_nothing_else_may(client: Client, path: str) -> None:
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code in {400, 404}
    assert client.get("/", headers={"host": "10.1.2.3:8000"}).status_code == 400

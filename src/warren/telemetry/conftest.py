"""What the tests of telemetry share."""

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def web(settings: Settings) -> Client:
    """A client of the site without static files: nobody has collected them here, and WhiteNoise warns of that."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]
    return Client()

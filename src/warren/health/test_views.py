import pytest
from django.test import Client
from pytest_django import Settings

from warren.delivery import direct
from warren.health import postgres


@pytest.fixture(autouse=True)
def without_static_files(settings: Settings) -> None:
    """Nobody has collected them here, and WhiteNoise warns of that."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_migrated", False)


def test_livez_touches_no_service(client: Client) -> None:
    # pytest-django lets no test without the mark near the database
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_readyz_is_ready_on_a_migrated_database(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": []})


@pytest.mark.django_db(transaction=True)
def test_readyz_names_missing_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_nothing_to_migrate", lambda: False)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["missing"]) == (503, ["migrations are not applied"])


@pytest.mark.django_db(transaction=True)
def test_readyz_names_a_postgres_that_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "address", lambda _purpose: {"host": "127.0.0.1", "port": 9, "connect_timeout": 2})

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["missing"]) == (503, ["postgres does not answer"])


@pytest.mark.django_db(transaction=True)
def test_readyz_does_not_ask_rabbitmq(client: Client, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "pyamqp://127.0.0.1:9"

    assert client.get("/readyz").status_code == 200

from pathlib import Path

import pytest
from pytest_django import Settings

from warren.doctor.checks import configuration, local
from warren.doctor.finding import Status

KEY = "k" * 50


@pytest.fixture(autouse=True)
def _fit(settings: Settings) -> None:
    """Settings with which nothing is wrong."""
    settings.SECRET_KEY = KEY
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "web"]


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a secret."""
    monkeypatch.setattr(configuration, "FOLDER", str(tmp_path))
    (tmp_path / "postgres_password").write_text("secret\n")
    return tmp_path / "postgres_password"


def test_secrets_that_can_be_read_are_fine(secret: Path) -> None:
    finding = configuration.secrets({"POSTGRES_PASSWORD_FILE": str(secret), "OTHER_FILE": "/elsewhere"})

    assert (finding.status, finding.found) == (Status.OK, "1 secrets from files")


def test_a_secret_that_is_missing_or_empty_fails(secret: Path) -> None:
    environment = {"POSTGRES_PASSWORD_FILE": str(secret), "EMAIL_PASSWORD_FILE": str(secret)}

    secret.write_text("\n")
    empty = configuration.secrets(environment)
    secret.unlink()
    missing = configuration.secrets(environment)

    assert (empty.status, empty.found) == (Status.FAIL, f"POSTGRES_PASSWORD_FILE={secret} is empty")
    assert "POSTGRES_PASSWORD a value in .env" in empty.do
    assert missing.status is Status.FAIL
    assert "No such file" in missing.found
    assert "docker compose up" in missing.do


@pytest.mark.parametrize("name", ["EMAIL_PASSWORD", "OTEL_EXPORTER_OTLP_HEADERS", "WEBHOOK_PREVIOUS_SECRET"])
def test_what_most_do_without_may_be_empty(secret: Path, name: str) -> None:
    secret.write_text("")

    assert configuration.secrets({f"{name}_FILE": str(secret)}).status is Status.OK


def test_a_short_key_is_worth_a_warning(settings: Settings) -> None:
    settings.SECRET_KEY = "short"  # noqa: S105  that is the point

    assert configuration.secrets({}).status is Status.WARN


@pytest.mark.parametrize(
    ("debug", "hosts", "secure", "status"),
    [
        (False, [], False, Status.OK),
        (False, ["warren.example.com"], True, Status.OK),
        (False, ["warren.example.com"], False, Status.WARN),
        (False, ["*"], True, Status.WARN),
        (True, [], False, Status.WARN),
        (True, ["warren.example.com"], True, Status.FAIL),
    ],
)
def test_it_knows_what_others_may_reach(
    settings: Settings, *, debug: bool, hosts: list[str], secure: bool, status: Status
) -> None:
    settings.DEBUG = debug
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, *hosts]
    settings.SESSION_COOKIE_SECURE = secure

    assert configuration.exposure().status is status


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ("UTC", Status.OK),
        ("Europe/Berlin", Status.OK),
        ("Etc/GMT+5", Status.WARN),
        ("Mars/Olympus", Status.FAIL),
        ("../etc/passwd", Status.FAIL),
    ],
)
def test_it_knows_zones(zone: str, status: Status) -> None:
    assert configuration.time_zone(zone).status is status


def test_django_and_celery_have_one_zone(settings: Settings) -> None:
    settings.CELERY_TIMEZONE = "Asia/Tokyo"

    assert configuration.time_zone("UTC").status is Status.FAIL


def test_it_tells_the_versions_of_this_container() -> None:
    assert "python 3.13" in local.this_one().found
    assert "librabbitmq-fork" in local.this_one().found  # the test runner has all packages


def test_a_disk_that_is_full_is_told_of(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(local, "LEAST_FREE_MIB", 0)
    monkeypatch.setattr(local, "NEARLY_FULL", 1.0)
    monkeypatch.setattr(local, "FULL", 1.0)
    assert local.disks().status is Status.OK
    monkeypatch.setattr(local, "NEARLY_FULL", 0.0)
    assert local.disks().status is Status.WARN
    monkeypatch.setattr(local, "FULL", 0.0)
    assert local.disks().status is Status.FAIL
    assert str(tmp_path) in local.disks().found

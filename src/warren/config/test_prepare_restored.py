from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from warren.delivery import direct

pytestmark = pytest.mark.django_db(transaction=True)


def _applied(app: str, name: str) -> None:
    MigrationRecorder.Migration.objects.create(app=app, name=name)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    MigrationRecorder.Migration.objects.filter(name__endswith="_of_tomorrow").delete()


def test_it_says_what_it_did(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        call_command("prepare_restored")

    assert "sent again: 0 jobs that ran and 0 that the broker had; 0 leases ended" in caplog.text


@pytest.mark.parametrize("app", ["delivery", "images"])
def test_it_refuses_a_backup_of_a_newer_release(app: str) -> None:
    _applied(app, "0099_of_tomorrow")

    with pytest.raises(CommandError, match=f"newer release: this one does not have {app}.0099_of_tomorrow"):
        call_command("prepare_restored")


@pytest.mark.parametrize("app", ["auth", "gone"])
def test_it_takes_a_backup_with_migrations_of_packages_and_of_apps_that_are_gone(app: str) -> None:
    _applied(app, "0099_of_tomorrow")

    call_command("prepare_restored")


def test_it_refuses_when_a_worker_is_connected() -> None:
    with direct.connect("lease"), pytest.raises(CommandError, match="stop them first"):
        call_command("prepare_restored")

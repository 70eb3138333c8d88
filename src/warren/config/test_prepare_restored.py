from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
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


def test_it_migrates_when_told_to_and_nothing_of_what_all_databases_share() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE warren_beat CONNECTION LIMIT 7")
        try:
            call_command("migrate", "maintenance", "zero", verbosity=0)
            call_command("prepare_restored", "--migrate")

            cursor.execute("SELECT rolconnlimit, rolcanlogin FROM pg_roles WHERE rolname = 'warren_beat'")
            assert cursor.fetchone() == (7, False)
        finally:
            cursor.execute("DROP ROLE warren_beat")
    assert MigrationRecorder.Migration.objects.filter(app="maintenance").exists()


def test_it_migrates_nothing_of_a_newer_release() -> None:
    call_command("migrate", "maintenance", "zero", verbosity=0)
    _applied("delivery", "0099_of_tomorrow")
    try:
        with pytest.raises(CommandError, match="newer release"):
            call_command("prepare_restored", "--migrate")

        assert not MigrationRecorder.Migration.objects.filter(app="maintenance").exists()
    finally:
        call_command("migrate", "maintenance", verbosity=0)

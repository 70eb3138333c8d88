"""Migrations while others have locked what they want."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from warren.config.provisioning import migrations

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "0099_of_tomorrow"
TIMEOUT_S = 0.5
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", TIMEOUT_S)
    monkeypatch.setattr(migrations, "PAUSE_S", 0.5)
    monkeypatch.setattr(migrations, "LONGEST_PAUSES_S", 1.0)
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_group DROP COLUMN IF EXISTS since")
        cursor.execute("DROP INDEX IF EXISTS of_tomorrow")
    MigrationRecorder.Migration.objects.filter(name=NAME).delete()


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a release with one migration more."""
    load = MigrationLoader.load_disk

    def make(*operations: Any, is_atomic: bool = True) -> None:
        def with_one_more(loader: MigrationLoader) -> None:
            load(loader)
            last = max(name for label, name in loader.disk_migrations if label == "accounts")
            fields = {"operations": operations, "dependencies": [("accounts", last)], "atomic": is_atomic}
            loader.disk_migrations["accounts", NAME] = type("Migration", (Migration,), fields)(NAME, "accounts")

        monkeypatch.setattr(MigrationLoader, "load_disk", with_one_more)

    return make


def _connect() -> psycopg.Connection[Any]:
    known = connection.settings_dict
    return psycopg.connect(
        host=known["HOST"], port=known["PORT"], dbname=known["NAME"], user=known["USER"], password=known["PASSWORD"]
    )


@pytest.fixture
def reader() -> Iterator[psycopg.Connection[Any]]:
    """Somebody whose transaction has read the table, and goes on and on."""
    with closing(_connect()) as own:
        own.execute("SELECT count(*) FROM auth_group")
        yield own


def _is_there() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns WHERE column_name = 'since' AND table_name = 'auth_group'"
        )
        return bool(cursor.fetchone()[0])


def _add_a_column() -> RunSQL:
    return RunSQL("ALTER TABLE auth_group ADD COLUMN since date")


@pytest.mark.parametrize("is_atomic", [True, False])
def test_it_migrates_once_the_lock_is_gone(
    release: Callable[..., None],
    reader: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    is_atomic: bool,
) -> None:
    release(_add_a_column(), is_atomic=is_atomic)
    monkeypatch.setattr(migrations, "LONGEST_PAUSES_S", 30.0)
    named = f"{reader.info.backend_pid} (warren, idle in transaction) has locked auth_group"

    def let_go_when_named() -> None:
        deadline = time.monotonic() + 20
        while named not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
        reader.rollback()

    holder = threading.Thread(target=let_go_when_named)
    holder.start()
    migrations.migrate()

    holder.join()
    assert _is_there()
    assert named in caplog.text


def test_nobody_waits_for_longer_behind_it_than_it_waits_itself(
    release: Callable[..., None], reader: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    release(_add_a_column())
    monkeypatch.setattr(migrations, "LONGEST_PAUSES_S", 0.1)
    took_s: list[float] = []

    def read_behind_it() -> None:
        with closing(_connect()) as own:
            own.autocommit = True
            while own.execute(_WAITS).fetchone() != (1,):
                pass
            begun = time.monotonic()
            own.execute("SELECT count(*) FROM auth_group")
            took_s.append(time.monotonic() - begun)

    behind = threading.Thread(target=read_behind_it)
    behind.start()
    with pytest.raises(
        CommandError, match=rf"nothing waits for it any more: .*{reader.info.backend_pid} \(warren, idle"
    ):
        call_command("provision")

    behind.join()
    assert took_s[0] < 3 * TIMEOUT_S
    assert not _is_there()


def test_an_index_that_is_built_beside_the_work_waits_for_as_long_as_it_must(
    release: Callable[..., None], reader: psycopg.Connection[Any]
) -> None:
    release(RunSQL("CREATE INDEX CONCURRENTLY of_tomorrow ON auth_group (name)"), is_atomic=False)
    reader.execute("INSERT INTO auth_group (name) VALUES ('not to be')")
    timer = threading.Timer(3 * TIMEOUT_S, reader.rollback)
    timer.start()

    migrations.migrate()

    timer.join()
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'of_tomorrow'::regclass")
        assert cursor.fetchone() == (True,)


def test_what_comes_after_it_waits_for_locks_as_ever() -> None:
    migrations.migrate()

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)

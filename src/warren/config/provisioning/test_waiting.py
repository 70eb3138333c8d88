import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import StringIO

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import Settings

from warren.config.management.commands import provision
from warren.config.provisioning import broker, database, first_admin, migrations, patience, waiting
from warren.config.queues import QUEUES
from warren.delivery import topology
from warren.delivery.topology import QueueSpec

PASSWORD = "for-tests-only"  # noqa: S105  of a database that lives in memory

type LoggedIn = Callable[[str, str], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The handlers of whoever runs the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def relay(transactional_db: None, monkeypatch: pytest.MonkeyPatch, logged_in: LoggedIn) -> Iterator[None]:  # noqa: ARG001  brings the database
    """Every role is there, and this process works as the relay's."""
    for role in database.ROLES:
        monkeypatch.setenv(role.password_variable, PASSWORD)
    list(database.provision())
    with logged_in("warren_relay", PASSWORD):
        yield
    monkeypatch.undo()
    with connection.cursor() as cursor:
        for role in database.ROLES:
            cursor.execute(f"DROP OWNED BY {role.name}; DROP ROLE {role.name}")


@pytest.mark.usefixtures("relay")
def test_nothing_is_missing_when_all_is_provisioned(settings: Settings) -> None:
    settings.SERVICE = "relay"

    assert waiting.to_work(current_app) == []


@pytest.mark.usefixtures("relay")
def test_it_names_a_right_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    role = database.Role(name="warren_relay", password_variable="X", tables=(("accounts_user", ("SELECT",)),))
    monkeypatch.setattr(database, "ROLES", (role,))

    assert waiting.to_work(current_app) == ["rights: SELECT on accounts_user"]


@pytest.mark.usefixtures("relay")
def test_it_names_the_first_migration_that_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("jobs.0002_new", False)])

    assert waiting.to_work(current_app) == ["migrations: 1 of this release are not applied, jobs.0002_new first"]


@pytest.mark.django_db(transaction=True)
def test_it_says_why_the_login_fails(logged_in: LoggedIn) -> None:
    with logged_in("warren", "wrong"):
        [told] = waiting.to_work(current_app)

    assert told.startswith("Postgres: ")
    assert "password authentication failed" in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("service", "asks"), [("worker", True), ("relay", True), ("web", False), ("beat", False)])
def test_only_who_needs_queues_waits_for_them(
    service: str, *, asks: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SERVICE = service
    monkeypatch.setattr(waiting, "QUEUES", [*QUEUES, QueueSpec(name="undeclared", worker="cpu", purpose="x")])

    assert waiting.to_work(current_app) == ["queue: undeclared is not there"] * asks


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SERVICE = "worker"
    monkeypatch.setitem(current_app.conf, "broker_write_url", "pyamqp://127.0.0.1:9//")

    [told] = waiting.to_work(current_app)

    assert told.startswith("RabbitMQ: ")


@pytest.mark.django_db(transaction=True)
def test_redis_has_no_queues_to_wait_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SERVICE = "worker"
    monkeypatch.setattr(topology, "is_redis", lambda _app: True)

    assert waiting.to_work(current_app) == []


@pytest.mark.django_db(transaction=True)
def test_provisioning_waits_for_the_management_api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", settings.BROKER_PASSWORD)
    assert waiting.to_provision() == []

    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", "wrong")
    assert "401" in str(broker.silence())

    monkeypatch.setenv("RABBITMQ_ADMIN_USER", "nobody")
    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", settings.BROKER_PASSWORD)
    assert "401" in str(broker.silence())


def test_it_looks_again_until_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_EVERY_S", 0.01)
    looks = iter([["a"], ["a"], ["b"], []])

    patience.wait_until_nothing_is_missing(lambda: next(looks))

    assert list(looks) == []


def test_it_says_what_is_missing_once_each_time_it_changes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "LOOK_EVERY_S", 0.01)
    looks = iter([["a"], ["a"], ["b"], []])

    patience.wait_until_nothing_is_missing(lambda: next(looks))

    assert [record.getMessage() for record in caplog.records] == ["waiting: a", "waiting: b"]


def test_it_gives_up_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_EVERY_S", 0.01)

    with pytest.raises(patience.StoppedError, match=r"^a; b$"):
        patience.wait_until_nothing_is_missing(lambda: ["a", "b"], longest_s=0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_when_it_is_told_to(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_EVERY_S", 60.0)

    def told_to_stop() -> list[str]:
        signal.raise_signal(number)
        return ["a"]

    with pytest.raises(patience.StoppedError):
        patience.wait_until_nothing_is_missing(told_to_stop)


def test_the_command_fails_when_it_is_stopped_before_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_work(_app: object) -> list[str]:
        signal.raise_signal(signal.SIGTERM)
        return ["migrations: 1"]

    monkeypatch.setattr(waiting, "to_work", to_work)

    with pytest.raises(CommandError, match="still missing: migrations: 1"):
        call_command("provisioned")


def test_the_command_ends_well_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "to_work", lambda _app: [])

    call_command("provisioned")


def test_provision_begins_when_both_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(waiting, "to_provision", list)
    monkeypatch.setattr(migrations, "migrate", lambda **_: called.append("migrate"))
    monkeypatch.setattr(provision, "call_command", called.append)
    for step in (database, broker, first_admin):
        monkeypatch.setattr(step, "provision", list)

    call_command("provision", "--wait=1", stdout=StringIO())

    assert called == ["migrate", "createcachetable"]


def test_provision_gives_up_when_one_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(waiting, "to_provision", lambda: ["RabbitMQ: nobody there"])

    with pytest.raises(CommandError, match="RabbitMQ: nobody there"):
        call_command("provision", "--wait=0.02")

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from warren.config.provisioning import database as provisioning
from warren.doctor.checks import postgres, schema
from warren.doctor.finding import Status

pytestmark = pytest.mark.usefixtures("database")

type Pretend = Callable[..., None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Makes the doctor take Postgres' address, or what is in it, for this."""

    def change(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setitem(connection.settings_dict, name, value)

    return change


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def roles(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001  brings the database
    for role in provisioning.ROLES:
        monkeypatch.setenv(role.password_variable, "for-tests-only")
    list(provisioning.provision())
    yield
    for role in provisioning.ROLES:
        _execute(f"DROP OWNED BY {role.name}; DROP ROLE {role.name}")


def test_it_tells_what_it_reached() -> None:
    finding = postgres.reachable()

    assert finding.status is Status.OK
    assert finding.found.startswith("PostgreSQL 17.")
    assert "as warren" in finding.found


@pytest.mark.parametrize(
    ("values", "said", "do"),
    [
        ({"HOST": "127.0.0.1", "PORT": 1}, "refused", "up --detach postgres"),
        ({"HOST": "nowhere.invalid"}, "nowhere.invalid", "up --detach postgres"),
        ({"PASSWORD": "wrong"}, "password authentication failed", "--force-recreate secrets"),
        ({"NAME": "another"}, 'database "another" does not exist', "up migrate"),
    ],
    ids=str,
)
def test_it_says_why_it_is_not_let_in(pretend: Pretend, values: dict[str, Any], said: str, do: str) -> None:
    pretend(**values)

    finding = postgres.reachable()

    assert finding.status is Status.FAIL
    assert said in finding.found
    assert do in finding.do
    assert "wrong" not in finding.found


def test_it_gives_up_one_that_is_frozen(pretend: Pretend, silent_port: int) -> None:
    pretend(HOST="127.0.0.1", PORT=silent_port)

    finding = postgres.reachable()

    assert finding.status is Status.FAIL
    assert "timeout" in finding.found
    assert "restart postgres" in finding.do


def test_one_that_takes_no_writes_fails() -> None:
    name = connection.settings_dict["NAME"]
    _execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        finding = postgres.reachable()
    finally:
        _execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert finding.status is Status.FAIL
    assert "takes no writes" in finding.found


def test_it_warns_before_the_role_runs_out_of_connections() -> None:
    assert postgres.connections().status is Status.OK
    _execute("ALTER ROLE warren CONNECTION LIMIT 2")
    try:
        finding = postgres.connections()
    finally:
        _execute("ALTER ROLE warren CONNECTION LIMIT -1")

    assert finding.status is Status.WARN
    assert "which may have 2" in finding.found


@pytest.mark.parametrize(
    ("off_s", "status", "said"),
    [
        (0, Status.OK, "same time"),
        (1, Status.OK, "same time"),
        (5, Status.WARN, "5.0 s ahead of Postgres'"),
        (-5, Status.WARN, "5.0 s behind Postgres'"),
        (3600, Status.FAIL, "3600.0 s ahead of Postgres'"),
    ],
)
def test_it_compares_clocks(off_s: int, status: Status, said: str) -> None:
    finding = postgres.clock(lambda: datetime.now(UTC) + timedelta(seconds=off_s))

    assert finding.status is status
    assert said.rsplit(maxsplit=1)[-1] in finding.found
    if off_s in (5, -5):
        assert 4.5 < float(finding.found.split(" is ")[1].split()[0]) <= 5.5
        assert ("ahead" in finding.found) == (off_s > 0)


@pytest.mark.parametrize(("theirs_s", "expected_s"), [(-3, -3), (0, 0), (1, 0), (2, 0), (7, 5)])
def test_what_took_a_while_to_answer_is_no_skew(theirs_s: int, expected_s: int) -> None:
    asked = datetime(2026, 5, 4, tzinfo=UTC)

    ahead = postgres.skew(asked + timedelta(seconds=theirs_s), before=asked, after=asked + timedelta(seconds=2))

    assert ahead == timedelta(seconds=expected_s)


def test_migrations_that_are_applied_are_fine() -> None:
    assert schema.migrations().status is Status.OK


def test_a_migration_that_is_not_applied_fails() -> None:
    _execute("UPDATE django_migrations SET name = 'gone' WHERE app = 'delivery' AND name = '0006_tell_of_changes'")
    try:
        finding = schema.migrations()
    finally:
        _execute("UPDATE django_migrations SET name = '0006_tell_of_changes' WHERE name = 'gone'")

    assert finding.status is Status.FAIL
    assert "delivery 0006_tell_of_changes" in finding.found
    assert finding.do == "docker compose up migrate"


def test_a_database_that_is_ahead_of_this_code_is_worth_a_warning() -> None:
    _execute("INSERT INTO django_migrations (app, name, applied) VALUES ('delivery', '9999_of_tomorrow', now())")
    try:
        finding = schema.migrations()
    finally:
        _execute("DELETE FROM django_migrations WHERE name = '9999_of_tomorrow'")

    assert finding.status is Status.WARN
    assert "delivery 9999_of_tomorrow" in finding.found


@pytest.mark.usefixtures("roles")
def test_rights_as_provisioned_are_fine() -> None:
    finding = schema.rights()

    assert (finding.status, finding.do) == (Status.OK, "")


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("REVOKE INSERT ON warren_job FROM warren_web", Status.FAIL, "warren_web lacks INSERT on warren_job"),
        (
            "GRANT SELECT ON authtoken_token TO warren_worker",
            Status.WARN,
            "warren_worker has SELECT on authtoken_token",
        ),
        ("GRANT CREATE ON SCHEMA public TO warren_beat", Status.WARN, "warren_beat may do what owners may"),
        ("ALTER ROLE warren_relay SUPERUSER", Status.WARN, "warren_relay"),
        ("DROP OWNED BY warren_relay", Status.FAIL, "warren_relay lacks"),
    ],
)
def test_rights_that_are_missing_or_beyond_are_found(fault: str, status: Status, said: str) -> None:
    _execute(fault)

    finding = schema.rights()

    assert finding.status is status
    assert said in finding.found
    assert finding.do == "docker compose up migrate"


def test_roles_that_are_missing_fail() -> None:
    finding = schema.rights()

    assert finding.status is Status.FAIL
    assert "warren_web, warren_worker, warren_beat, warren_relay" in finding.found

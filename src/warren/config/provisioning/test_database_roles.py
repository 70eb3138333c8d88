import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from celery import shared_task
from django.db import connection, transaction
from environs import EnvError

from warren.config.provisioning import database
from warren.delivery.models import Job

PASSWORD = "for-tests-only"  # noqa: S105  of a database that lives in memory


@shared_task(name="roles.nothing", queue="cpu")
def nothing() -> None:
    """Nothing."""


@pytest.fixture
def provisioned(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001  brings the database
    for role in database.ROLES:
        monkeypatch.setenv(role.password_variable, PASSWORD)
    list(database.provision())
    yield
    with connection.cursor() as cursor:
        for role in database.ROLES:
            cursor.execute(f"DROP OWNED BY {role.name}; DROP ROLE {role.name}")


def _try(role: str, statement: str) -> list[Any]:
    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "dbname": settings["NAME"]}
    with psycopg.connect(user=role, password=PASSWORD, **address) as own:
        return own.execute(statement).fetchall()


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("warren_web", "SELECT count(*) FROM accounts_user"),
        ("warren_web", "SELECT count(*) FROM authtoken_token"),
        ("warren_worker", "SELECT count(*) FROM accounts_user"),
        ("warren_beat", "SELECT count(*) FROM django_celery_beat_periodictask"),
        ("warren_relay", "SELECT count(*) FROM warren_outbox"),
        ("warren_relay", "SELECT count(*) FROM warren_job_event"),
        ("warren_relay", "SELECT count(*) FROM warren_broker"),
        ("warren_worker", "SELECT 0 * warren_delete_expired_sessions(5)"),
        ("warren_worker", "SELECT 0 * warren_delete_expired_tokens(5, 365)"),
    ],
)
def test_it_lets_a_role_do_its_work_when_provisioned(role: str, statement: str) -> None:
    assert _try(role, statement) == [(0,)]


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("warren_web", "CREATE TABLE mine (id int)"),
        ("warren_worker", "SELECT * FROM authtoken_token"),
        ("warren_worker", "SELECT * FROM django_session"),
        ("warren_worker", "DROP TABLE warren_job"),
        ("warren_worker", "DELETE FROM django_session"),
        ("warren_beat", "SELECT warren_delete_expired_sessions(5)"),
        ("warren_relay", "SELECT warren_delete_expired_tokens(5, 365)"),
        ("warren_beat", "SELECT * FROM accounts_user"),
        ("warren_beat", "DELETE FROM warren_job"),
        ("warren_beat", "SELECT * FROM warren_broker"),
        ("warren_relay", "SELECT * FROM accounts_user"),
        ("warren_relay", "DELETE FROM warren_job"),
    ],
)
def test_it_refuses_a_role_what_is_not_its_work_when_provisioned(role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _try(role, statement)


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("role", [role.name for role in database.ROLES])
def test_it_lets_every_role_submit_a_job_when_provisioned(role: str) -> None:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(f"SET LOCAL ROLE {role}")
        submitted = nothing.delay()

    assert Job.objects.filter(pk=submitted.id).exists()


@pytest.fixture
def exporter(provisioned: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: ARG001  brings the other roles
    monkeypatch.setenv(database.EXPORTER.password_variable, PASSWORD)
    list(database.provision())
    yield database.EXPORTER.name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {database.EXPORTER.name}; DROP ROLE {database.EXPORTER.name}")


def test_the_exporter_sees_what_others_do_at_the_database(exporter: str) -> None:
    ((seen,),) = _try(exporter, "SELECT count(*) FROM pg_stat_activity WHERE query <> '' AND usename <> current_user")
    assert seen > 0
    assert "<insufficient privilege>" not in str(_try(exporter, "SELECT query FROM pg_stat_activity"))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM warren_job",
        "SELECT * FROM accounts_user",
        "SELECT * FROM authtoken_token",
        "SELECT * FROM django_migrations",
        "CREATE TABLE mine (id int)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_waldir()",
    ],
)
def test_the_exporter_reads_no_table_and_no_file(exporter: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _try(exporter, statement)


def test_the_exporter_has_no_login_any_more_when_it_has_no_password(
    exporter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(database.EXPORTER.password_variable)

    list(database.provision())

    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        _try(exporter, "SELECT 1")


@pytest.mark.usefixtures("provisioned")
def test_there_is_no_exporter_when_nobody_asks_for_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [database.EXPORTER.name])
        assert cursor.fetchone() == (0,)


@pytest.mark.usefixtures("provisioned")
def test_it_changes_the_password_when_it_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_RELAY_PASSWORD", "another")

    list(database.provision())

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        _try("warren_relay", "SELECT 1")


@pytest.mark.django_db
def test_it_names_the_variable_and_changes_nothing_when_a_password_is_missing() -> None:
    assert "POSTGRES_WEB_PASSWORD" not in os.environ

    with pytest.raises(EnvError, match="POSTGRES_WEB_PASSWORD"):
        list(database.provision())

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'warren\\_%%'")
        assert cursor.fetchone() == (0,)

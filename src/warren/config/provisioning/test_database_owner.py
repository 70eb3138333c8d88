"""Provisioning by a login that is no superuser, as managed Postgres and Postgres' operators have it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from warren.config.provisioning import database

PASSWORD = "for-tests-only"  # noqa: S105  of a database that lives in memory
OWNER = "mere_owner"

type LoggedIn = Callable[[str, str], AbstractContextManager[None]]


# Every table and function of {before} to {after}; what Postgres itself has stays.
_HAND_OVER = """
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = '{before}' LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO {after}', found.tablename);
  END LOOP;
  FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
               WHERE pronamespace = 'public'::regnamespace AND proowner = '{before}'::regrole LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO {after}', found.name);
  END LOOP;
END $$;
ALTER DATABASE "{database}" OWNER TO {after}
"""
_FORGET = """
DO $$ BEGIN
  IF to_regrole('{role}') IS NOT NULL THEN DROP OWNED BY {role}; DROP ROLE {role}; END IF;
END $$
"""


@pytest.fixture
def owned(transactional_db: None, monkeypatch: pytest.MonkeyPatch, logged_in: LoggedIn) -> Iterator[None]:  # noqa: ARG001  brings the database
    """The database and its tables are OWNER's, and this process works as OWNER; afterwards all is as before."""
    superuser, name = connection.settings_dict["USER"], connection.settings_dict["NAME"]
    for role in database.ROLES:
        monkeypatch.setenv(role.password_variable, PASSWORD)
    _execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'")
    _execute(_HAND_OVER.format(before=superuser, after=OWNER, database=name))
    with logged_in(OWNER, PASSWORD):
        yield
    _execute(_HAND_OVER.format(before=OWNER, after=superuser, database=name))
    for role_name in (*(role.name for role in database.ROLES), database.EXPORTER.name, OWNER):
        _execute(_FORGET.format(role=role_name))


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _as_superuser(statement: str) -> None:
    """Over a connection beside ours."""
    with psycopg.connect(
        host=connection.settings_dict["HOST"],
        dbname=connection.settings_dict["NAME"],
        user="warren",
        password="for-tests-only",  # compose/check.yaml's
        autocommit=True,
    ) as own:
        own.execute(statement)


def _may_read(role: str, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, 'SELECT')", [role, table])
        return bool(cursor.fetchone()[0])


@pytest.mark.usefixtures("owned")
def test_it_makes_the_roles_when_it_may_make_roles() -> None:
    _as_superuser(f"ALTER ROLE {OWNER} CREATEROLE")

    told = [*database.provision(), *database.provision()]

    assert told == ["Postgres: roles warren_web, warren_worker, warren_beat, warren_relay"] * 2
    assert _may_read("warren_relay", "warren_outbox")
    assert not _may_read("warren_relay", "accounts_user")
    with psycopg.connect(
        host=connection.settings_dict["HOST"],
        dbname=connection.settings_dict["NAME"],
        user="warren_beat",
        password=PASSWORD,
    ) as own:
        assert own.execute("SELECT count(*) FROM django_celery_beat_periodictask").fetchone() == (0,)


@pytest.mark.usefixtures("owned")
def test_the_exporter_gets_a_login_without_what_this_login_may_not_give(monkeypatch: pytest.MonkeyPatch) -> None:
    _as_superuser(f"ALTER ROLE {OWNER} CREATEROLE")
    monkeypatch.setenv(database.EXPORTER.password_variable, PASSWORD)

    told = [*database.provision(), *database.provision()]

    assert told[1] == told[3]
    assert told[1].startswith("Postgres: warren_exporter sees less than it might")
    assert told[1].endswith("pg_read_all_stats")


@pytest.mark.usefixtures("owned")
def test_the_exporter_gets_what_this_login_was_given_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """As k8s/components/postgres-cnpg has it given."""
    _as_superuser(f"ALTER ROLE {OWNER} CREATEROLE; GRANT pg_read_all_stats TO {OWNER} WITH ADMIN OPTION")
    monkeypatch.setenv(database.EXPORTER.password_variable, PASSWORD)

    told = list(database.provision())

    assert told == ["Postgres: roles warren_web, warren_worker, warren_beat, warren_relay, warren_exporter"]


@pytest.mark.usefixtures("owned")
def test_it_names_the_roles_that_are_missing_when_it_may_not_make_them() -> None:
    _as_superuser("CREATE ROLE warren_web LOGIN")

    with pytest.raises(ImproperlyConfigured, match="no role warren_worker, warren_beat, warren_relay"):
        list(database.provision())

    assert not _may_read("warren_web", "warren_job")


@pytest.mark.usefixtures("owned")
def test_it_gives_rights_and_needs_no_passwords_when_the_roles_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in database.ROLES:
        _as_superuser(f"CREATE ROLE {role.name} LOGIN")
        monkeypatch.delenv(role.password_variable)

    told = list(database.provision())

    assert told == ["Postgres: rights of warren_web, warren_worker, warren_beat, warren_relay"]
    assert _may_read("warren_worker", "warren_job")
    assert not _may_read("warren_worker", "authtoken_token")
    assert database.missing_rights("warren_worker") == []


@pytest.mark.usefixtures("owned")
def test_it_leaves_tables_of_others_alone() -> None:
    _as_superuser(f"ALTER ROLE {OWNER} CREATEROLE; CREATE TABLE public.of_an_extension (id int)")
    try:
        list(database.provision())

        assert not _may_read("warren_web", "of_an_extension")
    finally:
        _as_superuser("DROP TABLE public.of_an_extension")


@pytest.mark.django_db
def test_it_limits_connections_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ROLE_CONNECTIONS", "17")
    for role in database.ROLES:
        monkeypatch.setenv(role.password_variable, PASSWORD)

    list(database.provision())

    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'warren\\_%%' ORDER BY 1")
        assert cursor.fetchall() == [
            ("warren_beat", 10),
            ("warren_relay", 10),
            ("warren_web", 17),
            ("warren_worker", 17),
        ]

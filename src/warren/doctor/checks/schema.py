"""Postgres' tables: are they those of this code, and may each role do what it must and no more?"""

from collections.abc import Iterable, Iterator

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from warren.config.provisioning import database
from warren.config.provisioning.database import ALL, ROLES, Role
from warren.doctor import postgres
from warren.doctor.checks.postgres import REACHABLE
from warren.doctor.finding import Check, Finding, fail, ok, warn

MIGRATE = "docker compose up migrate"
MIGRATED = "postgres.migrations"
SHOWN = 5

_ROLES = "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = ANY(%s)"
_HELD = """
SELECT tablename, wanted FROM pg_tables, unnest(%s::text[]) AS wanted
WHERE schemaname = 'public' AND has_table_privilege(%s, format('%%I.%%I', schemaname, tablename), wanted)
"""
_MAY_CREATE = "SELECT has_schema_privilege(%s, 'public', 'CREATE')"


def migrations() -> Finding:
    """All that this code knows are applied, and no others."""
    with postgres.models():
        loader = MigrationLoader(connection)
        applied = loader.applied_migrations.keys()
        # not the plan of `migrate`, which looks at the last of each app alone
        missing = sorted(loader.graph.nodes.keys() - applied)
        ahead = sorted(key for key in applied - loader.disk_migrations.keys() if key[0] in loader.migrated_apps)
    if missing:
        return fail(f"not applied: {_some(map(' '.join, missing))}", do=MIGRATE)
    if ahead:
        return warn(
            f"applied, but not in this code: {_some(map(' '.join, ahead))}",
            do="This container runs older code than the database is for: make up",
        )
    return ok(f"all {len(applied)} are applied")


def rights() -> Finding:
    """Each role has the rights that `manage.py provision` gives, by table."""
    lacking, beyond = list[str](), list[str]()
    with postgres.models():
        there = _special_by_name()
        if missing := [role.name for role in ROLES if role.name not in there]:
            return fail(f"roles that are missing: {', '.join(missing)}", do=MIGRATE)
        for role in ROLES:
            meant, held = set(_meant(role)), set(_held(role))
            lacking += [f"{role.name} lacks {right} on {table}" for table, right in sorted(meant - held)]
            beyond += [f"{role.name} has {right} on {table}" for table, right in sorted(held - meant)]
            beyond += [f"{role.name} may do what owners may"] if there[role.name] or _may_create(role) else []
    if lacking:
        return fail(_some(lacking), do=MIGRATE)
    if beyond:
        return warn(f"more rights than are meant: {_some(beyond)}", do=MIGRATE)
    return ok(f"{', '.join(role.name for role in ROLES)} have the rights that are meant, and no others")


def _special_by_name() -> dict[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLES, [[role.name for role in ROLES]])
        return dict(cursor.fetchall())


def _meant(role: Role) -> Iterator[tuple[str, str]]:
    for table, rights_on_it in database.tables_of(role).items():
        yield from ((table, right) for right in rights_on_it)


def _held(role: Role) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [list(ALL), role.name])
        return list(cursor.fetchall())


def _may_create(role: Role) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_MAY_CREATE, [role.name])
        return bool(cursor.fetchone()[0])


def _some(what: Iterable[str]) -> str:
    (*told,) = what
    return ", ".join(told[:SHOWN]) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


CHECKS = (
    Check(name=MIGRATED, examine=migrations, needs=(REACHABLE,)),
    Check(name="postgres.rights", examine=rights, needs=(REACHABLE,)),
)

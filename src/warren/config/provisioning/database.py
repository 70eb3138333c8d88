"""Postgres: one login per service class, each with the least rights that its work needs.

Rights are set anew at every start, after the migrations: so a new table of yours is covered, and a right that is no
longer meant is gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

from warren.config.env import env

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"
ALL = (READ, ADD, CHANGE, REMOVE)

# what a worker has no business with: credentials and sessions of the people who use the pages
NOT_FOR_WORKERS = ("authtoken_token", "django_session", "django_admin_log")

_FIND_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE %s"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A login. `tables` are patterns as in SQL's LIKE, each with the rights on what it matches.

    `functions` are those that do for it what it has no rights for (SECURITY DEFINER), and that nobody else may call.
    """

    name: str
    password_variable: str
    tables: tuple[tuple[str, tuple[str, ...]], ...]
    except_tables: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    connection_limit: int = 60


ROLES = (
    Role(name="warren_web", password_variable="POSTGRES_WEB_PASSWORD", tables=(("%", ALL),)),
    Role(
        name="warren_worker",
        password_variable="POSTGRES_WORKER_PASSWORD",
        tables=(("%", ALL),),
        except_tables=NOT_FOR_WORKERS,
        functions=("warren_delete_expired_sessions", "warren_delete_expired_tokens"),
    ),
    Role(
        name="warren_beat",
        password_variable="POSTGRES_BEAT_PASSWORD",
        tables=(
            (r"django\_celery\_beat\_%", ALL),
            (r"warren\_schedule\_%", ALL),
            (r"warren\_job", (READ, ADD, CHANGE)),
            (r"warren\_outbox", (READ, ADD, CHANGE)),
        ),
        connection_limit=10,
    ),
    Role(
        name="warren_relay",
        password_variable="POSTGRES_RELAY_PASSWORD",
        tables=(
            (r"warren\_outbox", ALL),
            (r"warren\_job\_event", (READ, ADD)),
            (r"warren\_broker", (READ, ADD, CHANGE)),
            (r"warren\_job", (READ, ADD, CHANGE)),
            # what follows from a job that it makes dead or expired
            (r"warren\_chord", (READ, ADD, CHANGE)),
            (r"warren\_result\_group", (READ,)),
            (r"warren\_worker", (READ, CHANGE, REMOVE)),
        ),
        connection_limit=10,
    ),
)

# Of compose/observability.yaml alone. It sees Postgres' statistics, which tell of statements and sizes, and no table.
EXPORTER = Role(
    name="warren_exporter",
    password_variable="POSTGRES_EXPORTER_PASSWORD",
    tables=(),
    member_of=("pg_read_all_stats",),
    connection_limit=5,
)


def provision() -> Iterator[str]:
    """Make or update every role; raises `environs.EnvError` for a missing password, before anything is changed.

    The exporter has a login only where it has a password.
    """
    passwords = {role.name: env.str(role.password_variable) for role in ROLES}
    exporter_password = env.str(EXPORTER.password_variable, "")
    with transaction.atomic():
        for role in ROLES:
            _ensure_login(role, passwords[role.name])
            _set_rights(role)
        if exporter_password:
            _ensure_login(EXPORTER, exporter_password)
            _set_memberships(EXPORTER)
        elif _exists(EXPORTER):
            _execute("ALTER ROLE {role} NOLOGIN", role=sql.Identifier(EXPORTER.name))
    made = (*ROLES, EXPORTER) if exporter_password else ROLES
    yield f"Postgres: roles {', '.join(role.name for role in made)}"


def tables_of(role: Role) -> dict[str, tuple[str, ...]]:
    """The tables of this role, as they are now, each with the rights that are meant."""
    found: dict[str, tuple[str, ...]] = {}
    with connection.cursor() as cursor:
        for pattern, rights in role.tables:
            cursor.execute(_FIND_TABLES, [pattern])
            found |= {row[0]: rights for row in cursor.fetchall() if row[0] not in role.except_tables}
    # readiness asks whether the migrations have run
    return found | {"django_migrations": (READ,)}


def _ensure_login(role: Role, password: str) -> None:
    verb = "ALTER" if _exists(role) else "CREATE"
    _execute(
        verb + " ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT {limit} PASSWORD {password}",
        role=sql.Identifier(role.name),
        limit=sql.Literal(role.connection_limit),
        password=sql.Literal(password),
    )


def _exists(role: Role) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name])
        return cursor.fetchone() is not None


def _set_memberships(role: Role) -> None:
    for group in role.member_of:
        _execute("GRANT {group} TO {role}", group=sql.Identifier(group), role=sql.Identifier(role.name))


def _set_rights(role: Role) -> None:
    name = sql.Identifier(role.name)
    _execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}", role=name)
    _execute("GRANT USAGE ON SCHEMA public TO {role}", role=name)
    for table, rights in tables_of(role).items():
        _execute(
            "GRANT {rights} ON TABLE {table} TO {role}",
            rights=sql.SQL(", ").join(map(sql.SQL, rights)),
            table=sql.Identifier(table),
            role=name,
        )
    for function in role.functions:
        _execute("GRANT EXECUTE ON FUNCTION {function} TO {role}", function=sql.Identifier(function), role=name)


def _execute(statement: str, **parts: sql.Composable) -> None:
    # statement is a constant of this module; what varies goes through psycopg's own quoting
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**parts).as_string(cursor.connection))

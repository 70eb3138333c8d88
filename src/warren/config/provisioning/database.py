"""Postgres: one login per service class, each with the least rights that its work needs.

Rights are set anew at every start, after the migrations: so a new table of yours is covered, and a right that is no
longer meant is gone.

    a superuser, the stack's own       makes the roles and their passwords
    one who may make roles             the same, as CloudNativePG and managed Postgres have it
    a mere owner of the database       gives rights; the roles must have been made, or the start says which are missing
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from psycopg import sql

from warren.config.env import env

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"
ALL = (READ, ADD, CHANGE, REMOVE)

# what a worker has no business with: credentials and sessions of the people who use the pages
NOT_FOR_WORKERS = ("authtoken_token", "django_session", "django_admin_log")

_FIND_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE %s"
# not what an extension, or a neighbour, has put there: only who owns a table may give rights to it
_OURS = " AND pg_has_role(tableowner, 'USAGE')"

# Of Postgres' 120 connections (services/postgres/postgresql.conf). Several clouds' worth of pods need more.
CONNECTIONS = 60


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
    connection_limit: int | None = None


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
    """Make or update every role, or if we may not, look for it. The exporter has a login only where it has a password.

    Raises, before anything is changed, `environs.EnvError` for a missing password and `ImproperlyConfigured` for a
    missing role.
    """
    if _may_make_roles():
        passwords = {role.name: env.str(role.password_variable) for role in ROLES}
        connections = env.int("POSTGRES_ROLE_CONNECTIONS", CONNECTIONS)
    else:
        passwords, connections = {}, CONNECTIONS
        _require_roles()
    if passwords and (exporter_password := env.str(EXPORTER.password_variable, "")):
        passwords[EXPORTER.name] = exporter_password
    refused: list[str] = []
    with transaction.atomic():
        for role in ROLES:
            if role.name in passwords:
                _ensure_login(role, passwords[role.name], connections=role.connection_limit or connections)
            _set_rights(role)
        if EXPORTER.name in passwords:
            _ensure_login(EXPORTER, passwords[EXPORTER.name], connections=EXPORTER.connection_limit or connections)
            refused = _set_memberships(EXPORTER)
        elif passwords and _exists(EXPORTER):
            _execute("ALTER ROLE {role} NOLOGIN", role=sql.Identifier(EXPORTER.name))
    yield f"Postgres: {'roles' if passwords else 'rights of'} {', '.join(passwords or [role.name for role in ROLES])}"
    for group in refused:
        yield f"Postgres: {EXPORTER.name} sees less than it might: this login may not make it a member of {group}"


def missing_rights(role_name: str) -> list[str]:
    """Which declared rights this role lacks, as `SELECT on warren_job`; none for whoever is no declared role."""
    role = next((each for each in ROLES if each.name == role_name), None)
    tables = tables_of(role, only_ours=False) if role else {}
    wanted = [(table, right) for table, rights in tables.items() for right in rights]
    return [f"{right} on {table}" for table, right in wanted if not _has_right(role_name, table, right)]


def _may_make_roles() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _exists(role: Role) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name])
        return cursor.fetchone() is not None


def _require_roles() -> None:
    if absent := [role.name for role in ROLES if not _exists(role)]:
        raise ImproperlyConfigured(
            f"Postgres has no role {', '.join(absent)}, and this login may not make roles: "
            "have them made with LOGIN and the passwords that their services get, or give it CREATEROLE"
        )


def _has_right(role_name: str, table: str, right: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, quote_ident(%s), %s)", [role_name, table, right])
        return bool(cursor.fetchone()[0])


def _ensure_login(role: Role, password: str, *, connections: int) -> None:
    # only a superuser may so much as say that a role shall not be one
    nothing_more = " NOSUPERUSER NOCREATEDB NOCREATEROLE" if _is_superuser() else ""
    _execute(
        f"{'ALTER' if _exists(role) else 'CREATE'} ROLE {{role}} LOGIN{nothing_more}"
        " CONNECTION LIMIT {limit} PASSWORD {password}",
        role=sql.Identifier(role.name),
        limit=sql.Literal(connections),
        password=sql.Literal(password),
    )


def _set_rights(role: Role) -> None:
    name = sql.Identifier(role.name)
    ours = sql.SQL(", ").join(map(sql.Identifier, _tables("%", only_ours=True)))
    _execute("REVOKE ALL ON TABLE {ours} FROM {role}", ours=ours, role=name)
    _execute("GRANT USAGE ON SCHEMA public TO {role}", role=name)
    for table, rights in tables_of(role, only_ours=True).items():
        _execute(
            "GRANT {rights} ON TABLE {table} TO {role}",
            rights=sql.SQL(", ").join(map(sql.SQL, rights)),
            table=sql.Identifier(table),
            role=name,
        )
    for function in role.functions:
        _execute("GRANT EXECUTE ON FUNCTION {function} TO {role}", function=sql.Identifier(function), role=name)


def _set_memberships(role: Role) -> list[str]:
    """Returns the groups that a login with CREATEROLE alone may not give, and that the role has not got otherwise."""
    refused = []
    for group in role.member_of:
        if _belongs(None, group, "MEMBER WITH ADMIN OPTION"):
            _execute("GRANT {group} TO {role}", group=sql.Identifier(group), role=sql.Identifier(role.name))
        elif not _belongs(role.name, group, "MEMBER"):
            refused.append(group)
    return refused


def _belongs(role_name: str | None, group: str, how: str) -> bool:
    """Whether the role, or else whoever is logged in, is a member of the group; a superuser is of all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(COALESCE(%s, current_user), %s, %s)", [role_name, group, how])
        return bool(cursor.fetchone()[0])


def tables_of(role: Role, *, only_ours: bool = False) -> dict[str, tuple[str, ...]]:
    """The tables of this role, as they are now, each with the rights that are meant; of all or of our own tables."""
    found: dict[str, tuple[str, ...]] = {}
    for pattern, rights in role.tables:
        tables = _tables(pattern, only_ours=only_ours)
        found |= {table: rights for table in tables if table not in role.except_tables}
    # readiness asks whether the migrations have run
    return found | {"django_migrations": (READ,)}


def _tables(pattern: str, *, only_ours: bool) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_FIND_TABLES + _OURS * only_ours, [pattern])
        return [row[0] for row in cursor.fetchall()]


def _execute(statement: str, **parts: sql.Composable) -> None:
    # statement is a constant of this module; what varies goes through psycopg's own quoting
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**parts).as_string(cursor.connection))

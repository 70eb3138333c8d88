"""Questions to the database, as its owner or as one of its roles."""

from tests.stack.stack import Stack

OWNER = "warren"


def ask(stack: Stack, statement: str, *, role: str = OWNER, **values: str) -> list[list[str]]:
    """The rows of a statement's answer, all text. Raises `CommandFailedError` with Postgres' words where it refuses.

    psql puts the values into the statement: as text for :'name', as an identifier for :"name".
    """
    variable = "POSTGRES_PASSWORD" if role == OWNER else f"POSTGRES_{role.removeprefix('warren_').upper()}_PASSWORD"
    # not as options: the kernel bounds their length, and some tests ask for thousands of jobs
    settings = "".join(f"\\set {name} {_quoted(value)}\n" for name, value in values.items())
    said = stack.execute(
        "postgres",
        *("psql", "--host", "postgres", "--username", role, "--dbname", "warren", "--no-psqlrc"),
        *("--tuples-only", "--no-align", "--quiet", "--set", "ON_ERROR_STOP=1"),
        env={"PGPASSWORD": stack.values[variable]},
        stdin=settings + statement,
    )
    return [line.split("|") for line in said.splitlines()]


def number(stack: Stack, statement: str, **values: str) -> float:
    """The one number that the statement gives."""
    ((value,),) = ask(stack, statement, **values)
    return float(value)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", r"\\").replace("'", "''").replace("\n", r"\n") + "'"

"""Questions to the database, as its owner or as one of its roles."""

from tests.integration.stack import Stack

OWNER = "warren"


def ask(stack: Stack, statement: str, *, role: str = OWNER) -> list[list[str]]:
    """The rows of a statement's answer, all text. Raises `AssertionError` with Postgres' words where it refuses."""
    variable = "POSTGRES_PASSWORD" if role == OWNER else f"POSTGRES_{role.removeprefix('warren_').upper()}_PASSWORD"
    said = stack.execute(
        "postgres",
        *("psql", "--host", "postgres", "--username", role, "--dbname", "warren", "--no-psqlrc"),
        *("--tuples-only", "--no-align", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statement),
        env={"PGPASSWORD": stack.values[variable]},
    )
    return [line.split("|") for line in said.splitlines()]


def number(stack: Stack, statement: str) -> float:
    """The one number that the statement gives."""
    ((value,),) = ask(stack, statement)
    return float(value)

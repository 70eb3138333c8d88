import time

import pytest
from psycopg import sql

from warren.telemetry.otel import statements


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT * FROM t WHERE id = %s AND n = %(name)s", "SELECT * FROM t WHERE id = %s AND n = %(name)s"),
        ("SELECT 'o''brien', 17, 1.5e3, x1 FROM t2", "SELECT ?, ?, ?, x1 FROM t2"),
        ('SELECT "user 7".name FROM "user 7" WHERE $1 = 5', 'SELECT "user 7".name FROM "user 7" WHERE $1 = ?'),
        (r"SELECT E'a\'b', 'c'", "SELECT ?, ?"),
        ("SELECT $$it's secret$$, $x$ $$ $x$ FROM t", "SELECT ?, ? FROM t"),
        ("SELECT 1 -- for ann@example.com's sake\nFROM t", "SELECT ?  \nFROM t"),
        ("SELECT /* it's 'quoted */ a FROM t", "SELECT   a FROM t"),
        ("SELECT a -- 'x\n, 'y' FROM t", "SELECT a  \n, ? FROM t"),
        ("SELECT a LIKE '%%s' FROM t", "SELECT a LIKE ? FROM t"),
        ("SELECT 'never ended FROM t", "SELECT ?"),
    ],
)
def test_it_shows_no_value(query: str, shown: str) -> None:
    assert statements.shown(query).text == shown


def test_it_shows_no_value_of_a_text_that_is_cut_off_in_one() -> None:
    query = "SELECT '" + "secret " * statements.LONGEST

    assert "secret" not in statements.shown(query).text


def test_it_shows_no_value_of_a_composed_statement() -> None:
    query = sql.SQL("SELECT {} FROM {}").format(sql.Literal("secret"), sql.Identifier("t"))

    assert statements.shown(query).text == 'SELECT ? FROM "t"'


@pytest.mark.parametrize(
    ("query", "summary"),
    [
        ("SELECT a, b FROM warren_job WHERE c", "SELECT warren_job"),
        ('SELECT "auth_user"."id" FROM "auth_user"', "SELECT auth_user"),
        ("\nUPDATE warren_job AS job SET a = 1 FROM unnest(%s)", "UPDATE warren_job"),
        ("INSERT INTO warren_job (id) VALUES (%s)", "INSERT warren_job"),
        ("WITH job AS (INSERT INTO warren_job VALUES (1)) SELECT 2", "INSERT warren_job"),
        ("DELETE FROM warren_outbox", "DELETE warren_outbox"),
        ("SELECT pg_sleep(1)", "SELECT"),
        ("SET LOCAL ROLE x", "SET"),
        (b"LISTEN here", "LISTEN"),
        ("", ""),
    ],
)
def test_it_has_a_short_name_for_many(query: str, summary: str) -> None:
    assert statements.shown(query).summary == summary


@pytest.mark.parametrize("query", ["'" * 5000, "$" * 5000, "/*" * 3000, "SELECT " * 3000, "$a$" * 2000, "e'" * 3000])
def test_it_takes_no_time_over_nonsense(query: str) -> None:
    begun = time.perf_counter()

    statements._shown.__wrapped__(query)

    assert time.perf_counter() - begun < 1

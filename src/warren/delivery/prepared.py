"""A cursor for the statements that every job needs: Postgres plans them once for each connection, not for each job.

Django binds parameters on the client and prepares nothing, so that a claim is planned for 0.3 ms and run for 0.03
(`EXPLAIN (ANALYZE, SUMMARY)`). What passes here is bound and prepared by Postgres, from the third time on.

A plan that was made while a table was nearly empty reads all of it, and is made anew after the next ANALYZE: autovacuum
looks every five seconds here (services/postgres/postgresql.conf), every minute by Postgres' default.

Behind PgBouncer in transaction mode it needs `max_prepared_statements` (PgBouncer 1.21 or newer).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from warren.telemetry import tracing

PREPARE_FROM = 2  # uses: a connection that does a thing once or twice is not kept waiting for it


class _Cursor(psycopg.Cursor[Any]):
    def _convert_query(self, *args: Any, **options: Any) -> Any:
        # psycopg keeps it only of what is not prepared; Django's log of queries asks for it
        self._query = super()._convert_query(*args, **options)
        return self._query


@contextmanager
def cursor() -> Iterator[Any]:
    """Django's cursor, on the current connection and in its transaction, but for the binding and the preparing."""
    django: Any = connection  # typed without what its cursors are made by
    django.close_if_health_check_failed()
    django.ensure_connection()
    driver = django.connection
    with django._prepare_cursor(tracing.cursor(_Cursor)(driver)) as made:  # noqa: SLF001  what Django does with its own
        driver.prepare_threshold = PREPARE_FROM
        try:
            yield made
        finally:
            driver.prepare_threshold = None

"""Spans of SQL: https://opentelemetry.io/docs/specs/semconv/db/postgresql/.

Only within a span that is recorded: what a process asks Postgres to look whether there is work is in no trace.

Not by opentelemetry's instrumentation of psycopg: it notes what Postgres says of an error, which quotes rows
(`Key (email)=… already exists`), shows literals, and puts a proxy into each connection (docs/decisions/0009).
"""

from functools import cache
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from warren.telemetry.otel import statements

_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Make spans with this tracer; None for no more."""
    global _tracer  # noqa: PLW0603  classes of cursors are made once, tracers by each test
    _tracer = tracer


class _Traced:
    """To be mixed into a class of psycopg's cursors, before it."""

    connection: Any

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        step: Any = super()
        return self._timed(step.execute, query, *args, **options)

    def executemany(self, query: Any, *args: Any, **options: Any) -> Any:
        step: Any = super()
        return self._timed(step.executemany, query, *args, **options)

    def _timed(self, step: Any, query: Any, *args: Any, **options: Any) -> Any:
        if _tracer is None or not trace.get_current_span().is_recording():
            return step(query, *args, **options)
        statement = statements.shown(query)
        if not statement.summary:  # the pool asks nothing, to see whether the connection still answers
            return step(query, *args, **options)
        with _tracer.start_as_current_span(
            statement.summary,
            kind=SpanKind.CLIENT,
            attributes=_attributes(statement, self.connection.info),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return step(query, *args, **options)
            except Exception as exc:
                # the code says which kind; the message may quote the row
                span.set_attribute("error.type", str(getattr(exc, "sqlstate", None) or type(exc).__name__))
                span.set_status(Status(StatusCode.ERROR))
                raise


@cache
def traced(kind: type[Any]) -> type[Any]:
    """The class, with spans."""
    return kind if issubclass(kind, _Traced) else type(f"Traced{kind.__name__}", (_Traced, kind), {})


def _attributes(statement: statements.Statement, info: Any) -> dict[str, Any]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": info.dbname,
        "db.query.text": statement.text,
        "db.query.summary": statement.summary,
        "db.operation.name": statement.operation,
        "server.address": info.host,
        "server.port": info.port,
    }

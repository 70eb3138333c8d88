"""Traces, if there is a collector to send them to; this module is all that the rest of Warren knows of them.

    not configured   `active` stays None. Nothing of opentelemetry is imported, and who asks pays for one comparison
    configured       `start` in each process that does work makes `otel/` the active tracer

One trace leads from a request through everything that follows from it:

    request (server) ─ create (accept) ─┬ send (relay)
                                        ├ claim  (only of a batch: before the body's process has a span)
                                        └ process ┬ claim ─ SQL
                                                  ├ body ─ SQL ─ create (the next job) ─ …
                                                  └ finish ─ SQL ─ create (a chain's next step, a chord's body) ─ …

The context travels in a task message's headers, as W3C Trace Context, and so in the job's row: what is sent again or
retried goes on with its trace. A retry's new attempt follows from the attempt that asked for it.

Who starts it: gunicorn's workers and prefork's children after the fork, each for itself, since a thread does not
survive one; a green or threaded worker, beat and the relay when they begin. A process that is forked from a traced one
forgets it, until it starts its own. `stop` sends what waits, for STOP_S at most.
"""

import atexit
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

# Who is told to stop has little time: a prefork child is replaced, a container is killed after its grace period.
STOP_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message that the relay has published, or that the broker has refused for this reason."""

    headers: Mapping[str, Any]
    queue: str
    job_id: str
    message_id: str
    refused: str | None


class Answering(Protocol):
    """The span of a request that is being answered."""

    def answered(self, *, status: int, route: str) -> None:
        """Note the end; `route` is the pattern of the path, "" if none matched."""


class Batch(Protocol):
    """The traces of jobs that are claimed and stored together."""

    def step(self, name: str, job_ids: Sequence[str]) -> AbstractContextManager[None]:
        """Do one thing for these jobs: each gets a span of it, the first one the SQL beneath."""


class Tracer(Protocol):
    """What `otel/tracer.py` is."""

    def ids(self) -> tuple[str, str] | None:
        """Trace and span here, in hexadecimal."""

    def span(self, name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Time a step of what is going on."""

    def outgoing(self) -> dict[str, str]:
        """The HTTP headers that let another service go on with this trace."""

    def created(self, *, job_id: str, task: str, queue: str) -> dict[str, str]:
        """The headers for a new task message."""

    def continued(self, headers: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Do something for a job elsewhere than in its worker; `headers` are those of its message."""

    def sent(self, messages: Sequence[Sent], *, since_ns: int) -> None:
        """Note what was published together."""

    def batch(self, requests: Mapping[str, Mapping[str, Any]]) -> Batch:
        """Jobs by id, each with what Celery knows of its message."""

    def request(
        self, *, method: str, path: str, scheme: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Answering]:
        """Answer a request, in its caller's trace or in a new one."""

    def cursor[Cursor](self, kind: type[Cursor]) -> type[Cursor]:
        """The class of cursors, with spans of their statements."""

    def stop(self, *, timeout_s: float) -> None:
        """Send what waits and end."""


class _Silent:
    """Of a request or a batch that is not traced."""

    def answered(self, *, status: int, route: str) -> None:
        pass

    def step(self, name: str, job_ids: Sequence[str]) -> AbstractContextManager[None]:  # noqa: ARG002
        return _nothing


active: Tracer | None = None

_nothing = nullcontext()
_silent = _Silent()

# of jobs that nobody wants to see
untraced_batch: Batch = _silent


def is_configured() -> bool:
    """Whether there is a collector."""
    return bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT)


def start() -> None:
    """Begin, if it is configured; to be called in the process itself, after its last fork. Twice does no harm."""
    global active  # noqa: PLW0603  one in each process
    if active is not None or not is_configured():
        return
    from warren.telemetry.otel import starting  # noqa: PLC0415  it imports opentelemetry

    active = starting.tracer()
    atexit.register(stop)


def stop() -> None:
    """Send what waits, within STOP_S, and trace no more."""
    global active
    ended, active = active, None
    if ended is not None:
        ended.stop(timeout_s=STOP_S)


def span(name: str, **attributes: Any) -> AbstractContextManager[None]:
    """Time a step. Neither arguments nor results nor messages of errors belong into the attributes."""
    return _nothing if active is None else active.span(name, attributes)


def ids() -> tuple[str, str] | None:
    """Trace and span here, in hexadecimal; None without."""
    return None if active is None else active.ids()


def outgoing() -> dict[str, str]:
    """HTTP headers for a call of another service, which may then go on with this trace."""
    return {} if active is None else active.outgoing()


def continued(headers: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Go on with the trace of a message, in whose headers it is, for the block."""
    return _nothing if active is None else active.continued(headers)


def batch(requests: Mapping[str, Mapping[str, Any]]) -> Batch:
    """The traces of these jobs."""
    return untraced_batch if active is None else active.batch(requests)


def untraced() -> AbstractContextManager[Answering]:
    """For a request that nobody wants to see."""
    return nullcontext(_silent)


def request(*, method: str, path: str, scheme: str, headers: Mapping[str, str]) -> AbstractContextManager[Answering]:
    """Time the answer to a request."""
    if active is None:
        return untraced()
    return active.request(method=method, path=path, scheme=scheme, headers=headers)


def cursor[Cursor](kind: type[Cursor]) -> type[Cursor]:
    """The class of cursors to use."""
    return kind if active is None else active.cursor(kind)


def _forget() -> None:
    global active  # noqa: PLW0603  see above
    active = None


os.register_at_fork(after_in_child=_forget)

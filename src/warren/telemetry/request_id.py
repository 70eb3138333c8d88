"""The id that a request and all that follows from it have in common: `X-Request-ID`.

a request   brings one, if a proxy or a client made it, or gets one here; the answer has it too
its jobs    carry it in their messages' headers, and so do the jobs that those submit
a tick      of the schedule, or a command line, has none: nobody asked over HTTP
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from celery import current_task

HEADER = "request_id"  # of a task message; Celery makes it an attribute of the request

# What proxies make, and nothing that a log, a header or a terminal could take for something else.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=+/@-]{0,127}", re.ASCII)

around: ContextVar[str | None] = ContextVar("warren_request_id", default=None)


def accepted(given: str | None) -> str:
    """The id that came with the request, if it is one; else a new one."""
    return given if given and _ACCEPTABLE.fullmatch(given) else uuid4().hex


def current() -> str | None:
    """The id of the request that is answered here, else of the one that the running job follows from."""
    if (here := around.get()) is not None:
        return here
    if not current_task:
        return None
    return of_message(vars(current_task.request))


def of_message(headers: Mapping[str, Any]) -> str | None:
    """The id that a task message carries; anybody may have published it."""
    carried = headers.get(HEADER)
    return carried if isinstance(carried, str) and _ACCEPTABLE.fullmatch(carried) else None

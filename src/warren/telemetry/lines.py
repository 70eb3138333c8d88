"""A line of log: one JSON object, or something that a person likes to read.

    json      {"time", "level", "logger", "message", "service", the ids where there are any, what the caller added}
    console   the same in colours, tracebacks below

A traceback is one field, `traceback`, so that a line stays a line. What a caller passes as `extra={...}` becomes
fields, and stands over what the surroundings tell. Nothing of Django or Celery is imported here: gunicorn's main
process, which has neither, writes such lines too.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

JSON = "json"
CONSOLE = "console"
STYLES = (JSON, CONSOLE)

# What every record has, and what Django and Celery add that is no plain data, or is in the message already.
_NOT_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request",
    "data",
    "taskName",
    "color_message",
}

type Fields = Callable[[], Mapping[str, Any]]
type Render = Callable[[dict[str, Any]], str]


def style(*, debug: bool) -> str:
    """The style where none is asked for."""
    return CONSOLE if debug else JSON


class Lines(logging.Formatter):
    """Makes lines of one style. `fields` tells of the surroundings, such as the job that runs; "" is left out."""

    def __init__(self, *, style: str, service: str, fields: Fields = dict) -> None:
        super().__init__()
        self._service = service
        self._fields = fields
        self._render = _renderer(style)

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds; only the console's traceback has more."""
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "service": self._service,
            **self._fields(),
            **self.of(record),
        }
        if record.exc_info and record.exc_info[0]:
            event["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            event["stack"] = record.stack_info
        return self._render(event)

    def of(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the record itself tells beside its message."""
        added = {name: value for name, value in vars(record).items() if name not in _NOT_FIELDS}
        about = record.args
        if isinstance(about, Mapping) and record.name.startswith("celery.") and "id" in about and "name" in about:
            # Celery's own lines about a job, some of them from where it does not run
            return {"job_id": about["id"], "task": about["name"], **added}
        return added


# made once: `json.dumps` with arguments makes one for each call
_plain = json.JSONEncoder(separators=(",", ":"), default=repr, allow_nan=False).encode


def as_json(event: dict[str, Any]) -> str:
    """The object on one line; what JSON cannot hold is written as Python shows it."""
    try:
        return _plain(event)
    except (TypeError, ValueError):
        return _plain({name: value if isinstance(value, str) else repr(value) for name, value in event.items()})


def _renderer(style: str) -> Render:
    if style == JSON:
        return as_json
    from structlog.dev import ConsoleRenderer, plain_traceback  # noqa: PLC0415  13 MB that only the console needs

    console = ConsoleRenderer(
        colors=True,
        force_colors=True,
        sort_keys=False,
        pad_event_to=0,
        timestamp_key="time",
        event_key="message",
        exception_formatter=plain_traceback,
    )

    def render(event: dict[str, Any]) -> str:
        traceback = event.pop("traceback", None)
        text = console(None, event["level"], event)
        return str(text) if traceback is None else f"{text}\n{traceback}"

    return render

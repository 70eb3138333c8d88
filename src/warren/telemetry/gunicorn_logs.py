"""gunicorn's two logs as lines like all others; `services/web/gunicorn.conf.py` hands this to gunicorn.

gunicorn knows nothing of Django's settings: its main process starts before them, and never loads them.
"""

import logging
from collections.abc import Mapping
from typing import Any, override

from warren.telemetry.lines import Lines

# Of the access log, in gunicorn's terms: https://docs.gunicorn.org/en/stable/settings.html#access-log-format
ACCESS_FORMAT = "%(m)s %(U)s %(s)s"
_ATOMS = {
    "method": "m",
    "path": "U",
    "status": "s",
    "bytes": "B",
    "duration_ms": "M",
    "remote_addr": "h",
    "user_agent": "a",
    "request_id": "{x-request-id}o",
}
_TRACEPARENT = (
    "{traceparent}o"  # version-trace_id-span_id-flags: https://www.w3.org/TR/trace-context/#traceparent-header
)
_PARTS_OF_TRACEPARENT = 4
_ABSENT = ("-", None)


class AccessLines(Lines):
    """One line for each request. Its ids are those of the answer's headers: the request is over by then.

    Never the query string, in which people put secrets.
    """

    @override
    def of(self, record: logging.LogRecord) -> dict[str, Any]:
        atoms = record.args
        if not isinstance(atoms, Mapping):
            return super().of(record)
        told = {name: atoms[atom] for name, atom in _ATOMS.items() if atoms[atom] not in _ABSENT}
        if str(told.get("status")).isdecimal():
            told["status"] = int(str(told["status"]))
        parts = str(atoms[_TRACEPARENT]).split("-")
        if len(parts) == _PARTS_OF_TRACEPARENT:
            told["trace_id"], told["span_id"] = parts[1:3]
        return told


def config(*, style: str, service: str) -> dict[str, Any]:
    """gunicorn's `logconfig_dict`."""
    told = {"style": style, "service": service}
    stderr = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "warren.telemetry.lines.Lines", **told},
            "access": {"()": "warren.telemetry.gunicorn_logs.AccessLines", **told},
        },
        "handlers": {
            "stderr": {**stderr, "formatter": "line"},
            "access": {**stderr, "formatter": "access"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "gunicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        },
    }

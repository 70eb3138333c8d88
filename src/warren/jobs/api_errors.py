"""One shape for every error of the API: `{"detail": "a sentence", "errors": {"field": ["why", ...]}}`."""

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from warren.delivery.errors import IdempotencyConflictError, QueueFullError
from warren.jobs.errors import BodyTooLargeError

RETRY_AFTER_S = 5  # a restarted Postgres answers again within seconds
QUEUE_FULL_RETRY_AFTER_S = 10  # workers at their limit need a while to make room
INVALID = "The request is not valid; see errors."

log = logging.getLogger(__name__)


class DatabaseAwayError(exceptions.APIException):
    """Postgres does not answer. Nothing was accepted; try again shortly."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = __doc__
    default_code = "unavailable"
    wait = RETRY_AFTER_S  # DRF writes it as Retry-After


class TooMuchWaitsError(exceptions.APIException):
    """Too many jobs wait already. Nothing was accepted; try again when some are done."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = __doc__
    default_code = "queue_full"
    wait = QUEUE_FULL_RETRY_AFTER_S


class ConflictError(exceptions.APIException):
    """The request conflicts with what is there."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = __doc__
    default_code = "conflict"


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for an exception that a view raised, or None for a defect of ours (500). DRF's EXCEPTION_HANDLER."""
    response = exception_handler(_as_api_exception(exc), context)
    if response is not None:
        response.data = _body(response.data)
    return response


def _as_api_exception(exc: Exception) -> Exception:
    match exc:
        case OperationalError() | InterfaceError() | psycopg.OperationalError() | psycopg.InterfaceError():
            log.warning("Postgres does not answer: %s", exc)
            return DatabaseAwayError()
        case QueueFullError() | IdempotencyConflictError():
            return TooMuchWaitsError(str(exc)) if exc.transient else ConflictError(str(exc))
        case RequestDataTooBig():
            return BodyTooLargeError(limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        case SuspiciousOperation():
            return exceptions.ParseError(str(exc))
        case RecursionError():
            return exceptions.ParseError("The JSON is nested too deeply.")
    return exc


def _body(data: Any) -> dict[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("detail"), str):
        return {"detail": data["detail"], "errors": {}}
    errors: dict[str, list[str]] = {}
    for path, message in _leaves(data):
        errors.setdefault(path or "non_field_errors", []).append(message)
    return {"detail": INVALID, "errors": errors}


def _leaves(data: Any, *, path: str = "") -> Iterator[tuple[str, str]]:
    """Each message of DRF's nested error structure, with the dotted path of its field."""
    match data:
        case dict():
            for key, value in data.items():
                yield from _leaves(value, path=f"{path}.{key}" if path else str(key))
        case list():
            for value in data:
                yield from _leaves(value, path=path)
        case _:
            yield path, str(data)

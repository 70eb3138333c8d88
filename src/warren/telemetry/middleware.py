"""Gives every request an id, which its answer, its lines of log and its jobs have too, and a span if that is wanted."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from warren.telemetry import request_id, tracing
from warren.telemetry.tracing import Answering

HEADER = "X-Request-ID"
# asked every few seconds by machines that only want to know whether we live
NOT_TRACED = ("/livez", "/readyz", "/metrics")

type Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def request_middleware(get_response: Handler) -> Handler:
    """To stand first in MIDDLEWARE: what the others log and answer has the id as well."""
    if iscoroutinefunction(get_response):
        respond: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def handle_async(request: HttpRequest) -> HttpResponseBase:
            with _about(request) as note:
                return note(await respond(request))

        return handle_async

    def handle(request: HttpRequest) -> HttpResponseBase:
        with _about(request) as note:
            return note(get_response(request))

    return handle


type Note = Callable[[HttpResponseBase], HttpResponseBase]


@contextmanager
def _about(request: HttpRequest) -> Iterator[Note]:
    given = request_id.accepted(request.headers.get(HEADER))
    token = request_id.around.set(given)
    try:
        with _span(request) as span:

            def note(response: HttpResponseBase) -> HttpResponseBase:
                response[HEADER] = given
                for name, value in tracing.outgoing().items():
                    response[name] = value
                route = request.resolver_match.route if request.resolver_match else ""
                span.answered(status=response.status_code, route=route)
                return response

            yield note
    finally:
        request_id.around.reset(token)


def _span(request: HttpRequest) -> AbstractContextManager[Answering]:
    if request.path in NOT_TRACED:
        return tracing.untraced()
    return tracing.request(
        method=request.method or "", path=request.path, scheme=request.scheme or "http", headers=request.headers
    )

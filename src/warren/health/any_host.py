"""Lets probes ask by whatever address they know: a pod's IP, a node's, the name of a load balancer.

Django refuses a request whose Host it was not told of, and answers 400: to an orchestrator a sick process. What the
probes' answers say depends on no name.
"""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import async_only_middleware

PROBES = frozenset({"/livez", "/readyz"})
ANY_HOST = "localhost"  # settings.py always allows it

type _Next = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def AnyHostMiddleware(get_response: _Next) -> _Next:  # noqa: N802  Django's middleware are named like classes
    """Before all others: a probe's request looks as if it came for this machine."""

    async def pass_on(request: HttpRequest) -> HttpResponseBase:
        if request.path in PROBES:
            request.META["HTTP_HOST"] = ANY_HOST
        return await get_response(request)

    return pass_on

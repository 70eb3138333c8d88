"""Asks for a Content-Length. DRF takes a body without one for an empty body, and would complain of missing fields."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, JsonResponse

LENGTH_REQUIRED = 411
MESSAGE = "Send a Content-Length; bodies in chunks are not read."


class LengthRequiredMiddleware:
    """Answers 411 to a request with a chunked body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return JsonResponse({"detail": MESSAGE, "errors": {}}, status=LENGTH_REQUIRED)
        return self._get_response(request)

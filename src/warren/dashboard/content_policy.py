"""What a browser may do on our pages: only what comes from here, and no script or style inside the page itself.

Django's admin and the API's own pages are not ours, and bring inline scripts.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NOT_OURS = ("/admin/", "/api/")


class ContentPolicyMiddleware:
    """Adds the policy to every page that names none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not request.path.startswith(NOT_OURS):
            response.headers.setdefault(HEADER, POLICY)
        return response

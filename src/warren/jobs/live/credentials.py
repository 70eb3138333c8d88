"""Who opens a WebSocket: as for any request of the API, by a session or by a token.

A script in a browser cannot set headers for a WebSocket, so a token may come as one of the subprotocols that it
offers, `token.<token>`; in the address it would be in the logs of every proxy.
"""

from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.core.handlers.asgi import ASGIRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.settings import api_settings

PROTOCOL = "warren"
TOKEN_PREFIX = "token."  # noqa: S105  what stands before one


def request_of(scope: dict[str, Any]) -> Request | None:
    """Who opens this WebSocket, and by which credentials, as a request; None without valid ones. Asks Postgres."""
    asked: Any = ASGIRequest({**scope, "type": "http", "method": "GET", "headers": _headers(scope)}, BytesIO())
    engine = import_module(settings.SESSION_ENGINE)
    asked.session = engine.SessionStore(asked.COOKIES.get(settings.SESSION_COOKIE_NAME))
    asked.user = auth.get_user(asked)
    classes: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    request = Request(asked, authenticators=[each() for each in classes])
    try:
        return request if request.user.is_authenticated else None
    except AuthenticationFailed:
        return None


def answer_to(offered: list[str]) -> str | None:
    """The subprotocol to select: a client that offers some gives up if none is.

    `warren` if it is offered; else the first, of which a token is the last resort.
    """
    ranked = sorted(offered, key=lambda each: (each != PROTOCOL, each.startswith(TOKEN_PREFIX)))
    return ranked[0] if ranked else None


def _headers(scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    headers = list(scope["headers"])
    tokens = [each for each in scope.get("subprotocols", ()) if each.startswith(TOKEN_PREFIX)]
    if tokens:
        headers = [each for each in headers if each[0].lower() != b"authorization"]
        headers.append((b"authorization", f"Token {tokens[0].removeprefix(TOKEN_PREFIX)}".encode()))
    return headers

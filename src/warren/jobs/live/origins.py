"""Refuses WebSockets that pages of other sites open in the name of whoever looks at them.

A browser sends their login along, and asks nobody before: CORS is not for WebSockets. It is as with forms, so the rule
is Django's for those: the page's Origin is the address that was asked, scheme, host and port, as a proxy has forwarded
it (SECURE_PROXY_SSL_HEADER), or one of CSRF_TRUSTED_ORIGINS.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

_HTTP_OF = {"ws": "http", "wss": "https"}
_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """ASGI: the inner application, for pages of this site and for who is no page."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        application = self._inner if may_open(scope) else WebsocketDenier.as_asgi()
        await application(scope, receive, send)


def may_open(scope: dict[str, Any]) -> bool:
    """Whether this WebSocket may be opened. Who sends no Origin is no browser, and may."""
    given = [value.decode("latin1") for name, value in scope["headers"] if name.lower() == b"origin"]
    if not given:
        return True
    origin, own = _Origin.of(given[0]), _asked(scope)
    if len(given) > 1 or origin is None:
        return False
    return origin == own or any(origin.is_one_of(trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


@dataclass(frozen=True)
class _Origin:
    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Self | None:
        """The origin that is written so, its default port filled in; None for what is none, such as `null`."""
        try:
            parts = urlsplit(text)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return None
        return cls(parts.scheme, parts.hostname, port) if parts.hostname and port else None

    def is_one_of(self, trusted: str) -> bool:
        """Whether it fits an entry of CSRF_TRUSTED_ORIGINS, `https://*.example.com` among them."""
        pattern = _Origin.of(trusted)
        if pattern is None or (self.scheme, self.port) != (pattern.scheme, pattern.port):
            return False
        return is_same_domain(self.host, pattern.host.removeprefix("*"))


def _asked(scope: dict[str, Any]) -> _Origin | None:
    """What was asked for, as Django sees it; None for a host that is not of ALLOWED_HOSTS."""
    as_http = {**scope, "type": "http", "method": "GET", "scheme": _HTTP_OF.get(scope.get("scheme", "ws"), "http")}
    request = ASGIRequest(as_http, BytesIO())
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = settings.SECURE_PROXY_SSL_HEADER[0]
        said = request.META.get(forwarded, "")
        request.META[forwarded] = _HTTP_OF.get(said, said)  # some proxies say "wss"
    try:
        return _Origin.of(f"{request.scheme}://{request.get_host()}")
    except DisallowedHost:
        return None

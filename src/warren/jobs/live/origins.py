"""Refuses WebSockets that pages of other sites open in the name of whoever looks at them."""

from typing import Any

from channels.security.websocket import OriginValidator


class SameHosts(OriginValidator):  # type: ignore[misc]  # Channels ships no types
    """Pages must come from one of `ALLOWED_HOSTS`, at any port. Who sends no Origin is no browser, and may connect."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or bool(self.validate_origin(parsed_origin))

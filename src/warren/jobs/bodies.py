"""JSON bodies of a bounded size. DRF reads the stream past Django's own check, so the bound is held here."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import JSONParser

from warren.jobs.errors import BodyTooLargeError


class BoundedJSONParser(JSONParser):
    """JSON up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes; `BodyTooLargeError` (413) above, announced or not."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Read at most one byte too many: a chunked body does not say how long it will be."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if announced_bytes(parser_context) > limit:
            raise BodyTooLargeError(limit_bytes=limit)
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise BodyTooLargeError(limit_bytes=limit)
        return super().parse(BytesIO(data), media_type, parser_context)


def announced_bytes(parser_context: Mapping[str, Any] | None) -> int:
    """Content-Length of the request that is being parsed; 0 when it is absent or not a number."""
    request = (parser_context or {}).get("request")
    announced = request.META.get("CONTENT_LENGTH") if request else None
    return int(announced) if announced and announced.isdigit() else 0

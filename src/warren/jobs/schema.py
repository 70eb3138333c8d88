"""What the OpenAPI schema says of errors, in one place."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from warren.delivery.idempotency import LONGEST_KEY
from warren.jobs import idempotent
from warren.jobs.serializers import ErrorSerializer

_MEANINGS = {
    400: "Malformed, or of the wrong types; errors names the fields.",
    401: "No token, or an unknown one.",
    403: "Not for you; detail says why.",
    404: "Unknown, or somebody else's.",
    409: "In conflict with the job's state, or with what the Idempotency-Key stands for; detail says why.",
    413: "The body is too large.",
    422: "Well formed, but not acceptable; errors says why and what would be.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "Postgres does not answer, or too many jobs wait; nothing was accepted. Retry-After says when to try again.",
}

IDEMPOTENT = OpenApiParameter(
    idempotent.HEADER,
    location=OpenApiParameter.HEADER,
    description=(
        f"1 to {LONGEST_KEY} printable characters of your choice. The same request with the same key is accepted "
        f"once: later ones get the same answer, with the header {idempotent.REPLAYED}: true; another request with "
        "the key gets 409. Keys are your own, and live as long as the job."
    ),
)


def errors(*codes: int) -> dict[int, OpenApiResponse]:
    """Responses for `extend_schema`: these codes, and 503, which any request may meet."""
    return {code: OpenApiResponse(ErrorSerializer, description=_MEANINGS[code]) for code in (*codes, 503)}

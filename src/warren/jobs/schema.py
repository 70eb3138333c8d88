"""What the OpenAPI schema says of errors, in one place."""

from drf_spectacular.utils import OpenApiResponse

from warren.jobs.serializers import ErrorSerializer

_MEANINGS = {
    400: "Malformed, or of the wrong types; errors names the fields.",
    401: "No token, or an unknown one.",
    404: "Unknown, or somebody else's.",
    409: "The job's present state does not allow it; detail says why.",
    413: "The body is too large.",
    422: "Well formed, but not acceptable; errors says why and what would be.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "Postgres does not answer; nothing was accepted. Retry-After says when to try again.",
}


def errors(*codes: int) -> dict[int, OpenApiResponse]:
    """Responses for `extend_schema`: these codes, and 503, which any request may meet."""
    return {code: OpenApiResponse(ErrorSerializer, description=_MEANINGS[code]) for code in (*codes, 503)}

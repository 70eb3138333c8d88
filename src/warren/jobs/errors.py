"""Why a request about jobs is refused."""

from rest_framework import status
from rest_framework.exceptions import APIException


class UnacceptableError(APIException):
    """The request is well formed, but what it asks for cannot be done."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = __doc__
    default_code = "unacceptable"


class BodyTooLargeError(APIException):
    """The body is larger than the limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = __doc__
    default_code = "too_large"

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"The request is larger than {limit_bytes} bytes; send less, or in several requests.")


class AlreadyFinalError(APIException):
    """The job has ended; a final state never changes."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = __doc__
    default_code = "already_final"

    def __init__(self, *, state: str) -> None:
        super().__init__(f"The job is already {state}; a final state never changes.")


class NotNowError(APIException):
    """The job's present state does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = __doc__
    default_code = "not_now"

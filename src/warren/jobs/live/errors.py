"""Why a stream is not opened."""

from rest_framework import status
from rest_framework.exceptions import APIException


class StreamRefusedError(APIException):
    """The stream is not opened. `wait` is how many seconds to leave it; DRF writes it as Retry-After."""

    wait = 5


class TooManyOfYoursError(StreamRefusedError):
    """You have too many streams open; close one first, or follow all your jobs by one stream, /api/jobs/events/."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = __doc__
    default_code = "too_many_streams"


class TooManyStreamsError(StreamRefusedError):
    """Too many streams are open here; try again shortly, or ask /api/jobs/ now and then."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = __doc__
    default_code = "too_many_streams"

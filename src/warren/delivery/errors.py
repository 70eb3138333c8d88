"""What can go wrong between a caller and a worker."""


class DeliveryError(Exception):
    """The job could not be delivered."""

    transient = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class UnsupportedSerializerError(DeliveryError):
    """Only JSON messages can wait in the outbox."""


class ResultTooLargeError(DeliveryError):
    """The task's result is larger than Warren stores."""


class DatabaseUnreachableError(DeliveryError):
    """Postgres does not answer."""

    transient = True


class DeadLetter(DeliveryError):  # noqa: N818  it is what it is called, and users see the name
    """RabbitMQ gave up on the job's message."""

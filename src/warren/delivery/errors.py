"""What can go wrong between a caller and a worker."""

from celery.exceptions import Ignore
from kombu.exceptions import OperationalError


class DeliveryError(Exception):
    """The job could not be delivered."""

    transient = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class UnsupportedSerializerError(DeliveryError):
    """Only JSON messages can wait in the outbox."""


class BadJobIdError(DeliveryError):
    """The text cannot be a job's id."""


class ResultTooLargeError(DeliveryError):
    """The task's result is larger than Warren stores."""


class DatabaseUnreachableError(DeliveryError):
    """Postgres does not answer."""

    transient = True


class BrokerUnreachableError(DeliveryError, OperationalError):
    """The broker does not answer, and the task is declared `durable=False`. Celery's users catch `OperationalError`."""

    transient = True


class LosableInChordError(DeliveryError):
    """A task that may be lost cannot be part of a chord's header: the chord would wait for ever."""


class CancelledError(Ignore):
    """The job was cancelled, or taken from this attempt; whatever it returns now is ignored."""


class QueueFullError(DeliveryError):
    """Too many jobs wait for the queue."""

    transient = True


class IdempotencyKeyError(DeliveryError):
    """The text cannot be an idempotency key."""


class IdempotencyConflictError(DeliveryError):
    """The idempotency key was used before, for something else: the job `job_id`."""

    def __init__(self, message: str = "", *, job_id: str = "") -> None:
        super().__init__(message)
        self.job_id = job_id


class UnknownOptionError(DeliveryError):
    """No app of this installation offers the option."""


class OutOfMemoryError(DeliveryError):
    """The task wanted more memory than there is."""


class ExitError(DeliveryError):
    """The task asked its process to exit."""


class WorkersLost(DeliveryError):  # noqa: N818  users see the name as the reason of a dead job
    """Each worker that ran the job was lost while it did."""


class WorkersAliveError(DeliveryError):
    """Workers are connected to a database that only those may use who prepare it."""

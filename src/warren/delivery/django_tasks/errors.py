"""What a Django task can fail of that is not its body's doing. Their paths stand in `TaskResult.errors`."""

from warren.delivery.errors import DeliveryError


class JobCancelledError(DeliveryError):
    """The job was cancelled."""


class JobExpiredError(DeliveryError):
    """The job had not started when it expired, and was not run."""


class JobLostError(DeliveryError):
    """The job was given up."""


class CoroutinesUnsupportedError(DeliveryError):
    """The worker's pool cannot run an async task."""


class CoroutineCancelledError(DeliveryError):
    """The task's coroutine was cancelled from within."""

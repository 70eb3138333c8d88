"""What can go wrong on the way to a receiver. No message names more of an address than its host."""


class WebhookError(Exception):
    """The call was not made, or not taken."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class CallbackUrlError(WebhookError, ValueError):
    """The address may not be called."""


class NoSecretError(WebhookError):
    """This installation has no WEBHOOK_SECRET, so that calls cannot be signed."""


class UndeliveredError(WebhookError):
    """The receiver did not take the call."""


class NothingToRepeatError(WebhookError):
    """The call is about to be made already."""

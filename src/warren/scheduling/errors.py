"""What can be wrong with a schedule."""


class SchedulingError(Exception):
    """The schedule cannot be used."""

    transient = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class BadEntryError(SchedulingError):
    """An entry in an app's SCHEDULE cannot be used."""


class UnreadableEntryError(SchedulingError):
    """An entry that somebody made cannot be read."""

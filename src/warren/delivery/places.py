"""Where a task tells its worker's pool that its body is over, so that another may begin while its outcome is stored."""

from typing import Protocol


class Places(Protocol):
    """A pool that lets a bounded number of bodies run (`batching/green.py`)."""

    def leave(self) -> None:
        """Free the place of whoever calls; if it has none, nothing happens."""


# of this process; pools whose children or threads are the places have none to give back
current: Places | None = None


def leave() -> None:
    """The body is over; what follows needs no place."""
    if current is not None:
        current.leave()

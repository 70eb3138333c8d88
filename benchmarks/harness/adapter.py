"""What each set-up's `adapter.py` gives, so that one harness measures them all alike."""

from typing import Protocol

BULK = 500  # jobs in one transaction, group or batch, where a set-up has such a thing


class Adapter(Protocol):
    """One process' way to a set-up. Every job takes a number and returns it, so that results can be checked.

    `kind` is `echo` (does nothing), `wait` (sleeps `seconds`) or `spin` (burns a core for `seconds` of CPU time).
    """

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        """The framework's ordinary call, once for each number, as a view would do it."""

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        """The fastest way that the framework offers for many jobs, `BULK` at a time."""

    def settled(self) -> bool:
        """Whether all that was submitted is where workers take it from."""

    def stored(self) -> int:
        """How many results are stored, of jobs that this process submitted."""

    def total(self) -> int:
        """The sum of the stored results."""

    def call(self, number: int) -> int:
        """Submit an `echo` and wait for its result, as a caller who needs it does."""

"""What a check found, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How it is. Only a FAIL makes the doctor end with 1."""

    OK = "OK"
    WARN = "WARN"  # it works, and somebody should look
    FAIL = "FAIL"  # it does not work, or will not for long
    SKIPPED = "SKIPPED"  # it cannot be known; why, is what was found


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`do` is a command to paste, or a sentence where no command helps; "" where nothing is to be done."""

    status: Status
    found: str
    do: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question. `examine` may raise anything, which is a FAIL, and is given up when it takes too long.

    It is asked only if what it `needs`, checks by name, was found to work. Checks of one `name` before the dot ask the
    same service, one after the other. `if_late` is what to do when it is given up.
    """

    name: str
    examine: Callable[[], Finding]
    needs: tuple[str, ...] = ()
    if_late: str = "Look whether that service is frozen: docker compose ps --all"

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


def ok(found: str) -> Finding:
    return Finding(status=Status.OK, found=found)


def warn(found: str, *, do: str) -> Finding:
    return Finding(status=Status.WARN, found=found, do=do)


def fail(found: str, *, do: str) -> Finding:
    return Finding(status=Status.FAIL, found=found, do=do)


def skipped(found: str, *, do: str = "") -> Finding:
    return Finding(status=Status.SKIPPED, found=found, do=do)

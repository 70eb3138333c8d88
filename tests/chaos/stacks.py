"""The stack that tests share, made anew when it is spoilt or must be another."""

import shutil
from pathlib import Path

from tests.stack import account, api, started
from tests.stack.api import Api
from tests.stack.stack import Stack

FILES = ("compose/stack.yaml", "tests/chaos/compose.yaml")


class Stacks:
    """Owns at most one running stack."""

    member: Api
    admin: Api

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack: Stack | None = None
        self._overlays: tuple[str, ...] = ()
        self._spoilt = False

    def get(self, overlays: tuple[str, ...]) -> Stack:
        """The running stack, if it is fit for use and has these overlays; else a new one."""
        if self._stack is None or self._spoilt or overlays != self._overlays:
            self.remove()
            self._overlays, self._spoilt = overlays, False
            values = {"CLOCK_LIBRARY": str(self._clock_library())}
            self._stack = Stack(self._folder, values=values, files=(*FILES, *overlays))
            self._start(self._stack)
        return self._stack

    def spoil(self) -> None:
        """The stack is not as it should be; nobody shall get it again."""
        self._spoilt = True

    def describe(self) -> str:
        """What the running stack is at, for a failed test."""
        return account.of(self._stack) if self._stack else "none runs"

    def save_logs(self, folder: Path) -> None:
        """Keep what each service of the running stack has printed: it goes away with the stack."""
        folder.mkdir(exist_ok=True)
        for service in {str(each.Service) for each in self._stack.containers()} if self._stack else ():
            (folder / f"{service}.log").write_text(self._stack.logs(service) if self._stack else "")

    def remove(self) -> None:
        """Take it away, if there is one."""
        if self._stack:
            self._stack.remove()
            self._stack = None

    def _clock_library(self) -> Path:
        """A copy of Debian's libfaketime in a place that the engine's host knows by the same path."""
        (installed,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        return Path(shutil.copy(installed, self._folder))

    def _start(self, stack: Stack) -> None:
        started.start(stack)
        self.member = api.register(stack.web_url)
        values = stack.values
        self.admin = api.log_in(stack.web_url, email=values["ADMIN_EMAIL"], password=values["ADMIN_PASSWORD"])

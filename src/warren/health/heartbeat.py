"""Signs of life as files, so that a container's health check is one `stat` and starts no Python.

`<name>.alive` says that the loop which does the work turns; `<name>.ready` that it is fit to be given work. What counts
is the file's age: a process that hangs cannot say so, but it also cannot touch a file. The health checks
(services/*/healthcheck) take a process for dead or unready when the file is older than a few intervals.
One process of a name per directory: every container has its own.
"""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# The health checks wait for several times this, so a busy moment is no death.
INTERVAL_S = 5


class Heartbeat:
    """Shows the life of the process called `name` in `settings.HEARTBEAT_DIR`."""

    def __init__(self, name: str) -> None:
        """Raises `ImproperlyConfigured` when the directory is missing."""
        folder = Path(settings.HEARTBEAT_DIR)
        if not folder.is_dir():
            raise ImproperlyConfigured(f"HEARTBEAT_DIR={str(folder)!r} is no directory; mount a writable one there")
        self._alive = folder / f"{name}.alive"
        self._ready = folder / f"{name}.ready"

    def show_alive(self) -> None:
        """The loop has just turned."""
        self._alive.touch()

    def show_ready(self) -> None:
        """The process can take work now."""
        self._ready.touch()

    def keep_ready(self) -> None:
        """What was said last about readiness still holds."""
        if self._ready.exists():
            self.show_ready()

    def withdraw_ready(self) -> None:
        """The process takes no work, from now until `show_ready`."""
        self._ready.unlink(missing_ok=True)

"""One job on its way to a child process."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Order:
    """What Celery asked the pool for; Celery holds it, weakly, in place of the pool's own result."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    result: Any = field(default=None)
    arrived_at: float = field(default_factory=time.monotonic)
    terminated: bool = False

    @property
    def task(self) -> str:
        return str(self.args[0])

    @property
    def limits(self) -> tuple[Any, Any]:
        return self.options.get("soft_timeout"), self.options.get("timeout")

    @property
    def came_first(self) -> bool:
        """Whether nobody else had its message before."""
        return not self.args[2]["delivery_info"]["redelivered"]

    def terminate(self, signum: int) -> None:
        """It was revoked; the caller kills the child that runs it."""
        self.terminated = True
        if self.result is not None:
            self.result.terminate(signum)

    def tell(self, callback: str, *args: Any) -> None:
        """Call Celery back about this job alone: what fails for one is no concern of the others."""
        try:
            self.options[callback](*args)
        except Exception:
            log.exception("%s of job %s failed", callback, self.args[1])

"""The thread that renews a lease: one of the operating system's, which nobody forks while it works.

Under gevent it is native too, since a task that blocks the green loop is alive. A child of prefork would inherit a
lock of the resolver or of libpq that nobody releases.
"""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

_no_fork = threading.Lock()


def start(target: Callable[[], None], *, pool: str) -> None:
    """Run the target until it returns."""
    if pool == "prefork":
        _make_forks_wait()
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey and monkey.is_module_patched("threading"):
        from gevent.threadpool import ThreadPool  # noqa: PLC0415  only the io image has gevent

        ThreadPool(1).spawn(target)
    else:
        threading.Thread(target=target, name="lease", daemon=True).start()


def while_nobody_forks(*, pool: str) -> AbstractContextManager[object]:
    """For the block, in which the thread works, forks wait."""
    # none but prefork forks, and gevent's stand-in of a lock is nothing for a native thread
    return _no_fork if pool == "prefork" else nullcontext()


@cache
def _make_forks_wait() -> None:
    os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)

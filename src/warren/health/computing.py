"""Which tasks the threads of this process compute right now, seen from another thread.

green pools   the one task that the loop has switched to; none while it waits for events, so that a task which blocks
              the loop is told from those that it keeps waiting
threads       all that run, those that wait included
solo          the one that runs
"""

import sys
from collections.abc import Iterator
from types import FrameType

from celery.app import trace


def task_ids() -> set[str]:
    """The ids under which Celery runs them; also of a task that another calls in its own body."""
    tops = sys._current_frames().values()  # noqa: SLF001  the interpreter's documented way, named as for internal use
    return {task_id for top in tops for task_id in _tasks_of(top)}


def _tasks_of(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        if frame.f_code.co_name == "trace_task" and frame.f_code.co_filename == trace.__file__:
            yield str(frame.f_locals["uuid"])
        frame = frame.f_back

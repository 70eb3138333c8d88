"""What Django knows of a job beyond its Celery message: a header, so that it travels and is kept with the job."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.tasks import Task
from django.tasks.exceptions import InvalidTask

HEADER = "django_task"

type AnyTask = Task[..., Any]


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """A task as it was enqueued, with what `using()` changed. `at` is None if Celery sent it by its name."""

    task: AnyTask
    at: datetime | None

    @classmethod
    def from_header(cls, header: dict[str, Any] | None, *, declared: AnyTask) -> Self:
        """Undo `to_header`. The task is as declared if there is no header, or if its queue is no more."""
        if not header:
            return cls(task=declared, at=None)
        run_after = header["run_after"] and datetime.fromisoformat(header["run_after"])
        changed = {name: header[name] for name in ("backend", "queue_name", "priority")} | {"run_after": run_after}
        try:
            task = declared.using(**{key: value for key, value in changed.items() if value != getattr(declared, key)})
        except InvalidTask:
            task = declared
        return cls(task=task, at=datetime.fromisoformat(header["at"]))

    def to_header(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "backend": self.task.backend,
            "queue_name": self.task.queue_name,
            "priority": self.task.priority,
            "run_after": self.task.run_after and self.task.run_after.isoformat(),
            "at": self.at and self.at.isoformat(),
        }

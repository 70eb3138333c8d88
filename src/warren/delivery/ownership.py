"""Whose job it is. Set around a call by whoever knows the user; jobs that a job makes belong to the same user."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celery import current_task

HEADER = "owner_id"

_owner_id: ContextVar[int | None] = ContextVar("warren_owner_id", default=None)


@contextmanager
def owned_by(user_id: int | None) -> Iterator[None]:
    """Give every job that is submitted inside the block to this user."""
    token = _owner_id.set(user_id)
    try:
        yield
    finally:
        _owner_id.reset(token)


def current_owner_id() -> int | None:
    """The user of the surrounding `owned_by`, else the owner of the job that is running here, else None."""
    if (owner_id := _owner_id.get()) is not None:
        return owner_id
    if not current_task:
        return None
    inherited = getattr(current_task.request, HEADER, None)
    return int(inherited) if inherited is not None else None

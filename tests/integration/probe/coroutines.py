"""Django's tasks in a module that no worker imports when it starts; the first one that is sent makes it."""

import asyncio
from typing import Any

from django.contrib.auth.models import Group
from django.tasks import TaskContext, task

LINGER_S = 300


@task(takes_context=True)
async def nap(context: "TaskContext[..., Any]", seconds: float) -> list[Any]:
    """Wait as asyncio does, then ask Postgres; gives the attempt and a count."""
    await asyncio.sleep(seconds)
    return [context.attempt, await Group.objects.filter(name="nobody's").acount()]


@task
async def fail(message: str) -> None:
    """Raise."""
    raise ValueError(message)


@task
async def linger(name: str) -> None:
    """Wait longer than anybody would; when that is ended, make a row."""
    try:
        await asyncio.sleep(LINGER_S)
    finally:
        await Group.objects.acreate(name=name)

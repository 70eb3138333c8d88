"""Tasks that do one thing each, so that a test can see what the stack makes of it. Each is on both queues."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from celery import Task, shared_task
from django.contrib.auth.models import Group
from django.db import connection
from django.tasks import task
from rest_framework import serializers

from warren.delivery import cancellation
from warren.jobs.fields import NumberField, TextField

RETRIES = 2


class Nothing(serializers.Serializer[Any]):
    """No arguments."""


class Seconds(serializers.Serializer[Any]):
    """For how long."""

    seconds = NumberField(min_value=0, max_value=600)


class Message(serializers.Serializer[Any]):
    """What to say."""

    message = TextField(max_length=200)


def noop() -> None:
    """Do nothing."""


def sleep(seconds: float) -> float:
    """Wait, as for a network: a green pool does other things meanwhile."""
    time.sleep(seconds)
    return seconds


_waiting: set[object] = set()


def crowd(seconds: float) -> int:
    """Wait, and tell how many wait in this process, this one included."""
    _waiting.add(waiter := object())
    try:
        together = len(_waiting)
        time.sleep(seconds)
    finally:
        _waiting.remove(waiter)
    return together


def spin(seconds: float) -> float:
    """Burn a core: a green pool does nothing else meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return seconds


def query(seconds: float) -> float:
    """Wait, then ask Postgres; a task that asks before it waits keeps its connection meanwhile."""
    time.sleep(seconds)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.02)")
    return seconds


def fail(message: str) -> None:
    """Raise."""
    raise ValueError(message)


def die() -> None:
    """Take the process down, as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(name="probe.cpu.effect_then_die_once", queue="cpu", bind=True, transactional=True, arguments=Message)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def effect_then_die_once(self: "Task[[str], str]", message: str) -> str:
    """Make a row and, at the first attempt, die before its commit."""
    Group.objects.create(name=message)  # a second one of that name is refused
    if self.request.job_attempt == 1:  # type: ignore[attr-defined]  # set by the claim
        die()
    return message


@shared_task(name="probe.cpu.effect", queue="cpu", transactional=True, arguments=Message)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def effect(message: str) -> str:
    """Make a row; a second one of that name is refused."""
    Group.objects.create(name=message)
    return message


def needs(message: str) -> int:
    """Fail until somebody makes a group of this name."""
    if not Group.objects.filter(name=message).exists():
        raise LookupError(f"there is no {message}")
    return 1


@shared_task(name="probe.io.losable_effect", queue="io", durable=False)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def losable_effect(message: str) -> None:
    """Make a row; there is no job."""
    Group.objects.create(name=message)


def wait_until_cancelled(seconds: float) -> float:
    """Wait, and ask now and then whether that is still wanted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)
        cancellation.raise_if_cancelled()
    return seconds


def echo(message: str) -> str:
    """Give back what came."""
    return message


@shared_task(name="probe.io.total", queue="io")
def total(numbers: list[float]) -> float:
    """The body of a chord."""
    return sum(numbers)


@shared_task(name="probe.cpu.succeed_at_third", queue="cpu", bind=True, max_retries=5)
def succeed_at_third(self: "Task[[], int]") -> int:
    """Ask for two retries, then give the number of the attempt."""
    if self.request.retries < RETRIES:
        raise self.retry(countdown=0.2)
    return self.request.retries + 1


@task
def django_add(one: float, other: float) -> float:
    """Add two numbers, in Django's way."""
    return one + other


def _on_both_queues(body: Callable[..., Any], *, arguments: type[serializers.Serializer[Any]]) -> None:
    for queue in ("cpu", "io"):
        name = f"probe.{queue}.{body.__name__}"
        shared_task(name=name, queue=queue, arguments=arguments)(body)  # type: ignore[call-overload]  # celery-types lacks `arguments`


_on_both_queues(noop, arguments=Nothing)
_on_both_queues(sleep, arguments=Seconds)
_on_both_queues(crowd, arguments=Seconds)
_on_both_queues(spin, arguments=Seconds)
_on_both_queues(query, arguments=Seconds)
_on_both_queues(fail, arguments=Message)
_on_both_queues(die, arguments=Nothing)
_on_both_queues(echo, arguments=Message)
_on_both_queues(needs, arguments=Message)
_on_both_queues(wait_until_cancelled, arguments=Seconds)

"""Tasks that take their process with them, or their time or memory, or give more than may be stored."""

import ctypes
import os
import time
from typing import Any

from celery import current_task, shared_task
from django.db import connection
from rest_framework import serializers

MEGABYTE = 1024 * 1024


class Nothing(serializers.Serializer[Any]):
    """No arguments."""


def leave() -> None:
    """End the process without a word to anybody."""
    os._exit(1)


def crash() -> None:
    """Read where nothing is: SIGSEGV."""
    ctypes.string_at(0)


def spin() -> None:
    """Never end, and take no hint."""
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001, S112  a task that swallows its soft time limit
            continue


def doze() -> None:
    """Never end, but let others work: what a greenlet does that waits for a network without a limit."""
    while True:
        try:
            while True:
                time.sleep(1)
        except Exception:  # noqa: BLE001, S112  a task that swallows its soft time limit
            continue


def want_too_much() -> int:
    """Ask for more memory than any machine has: MemoryError."""
    return len(bytearray(2**62))


def give_too_much() -> str:
    """Twice what may be stored."""
    return "x" * 2 * MEGABYTE


def swell_once(key: str) -> int:
    """At the first attempt, make the effect and then take memory until the kernel ends it; then succeed."""
    request: Any = current_task.request
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_effect VALUES (%s, %s, %s)", [key, request.id, request.job_attempt])
    taken = [b"\1" * MEGABYTE * 64 for _ in range(1000 if request.job_attempt == 1 else 1)]
    return len(taken)


class Key(serializers.Serializer[Any]):
    """Under what the effect is noted."""

    key = serializers.CharField(max_length=100)


BODIES = {
    "cpu": (leave, crash, spin, want_too_much, give_too_much),
    "io": (leave, crash, spin, doze, want_too_much, give_too_much),
}

for _queue, _bodies in BODIES.items():
    for _body in _bodies:
        shared_task(name=f"ledger.{_queue}.{_body.__name__}", queue=_queue, arguments=Nothing)(_body)  # type: ignore[call-overload]  # arguments= is ours
shared_task(name="ledger.cpu.swell_once", queue="cpu", arguments=Key, transactional=True)(swell_once)  # type: ignore[call-overload]  # both are ours

#!/usr/bin/env python
"""Runs Django's commands with Warren's settings."""

import os
import signal
import sys
from typing import Any

TERMINATED = 128 + signal.SIGTERM  # the exit code of a process that the signal has ended


def _leave(*_: Any) -> None:
    sys.exit(TERMINATED)


def _main() -> None:
    # A container's first process ignores SIGTERM until something handles it, and would sit out the grace period if it
    # were stopped during its imports. Commands that wait install a handler of their own.
    signal.signal(signal.SIGTERM, _leave)
    from django.core.management import execute_from_command_line  # noqa: PLC0415  it takes a while

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "warren.config.settings")
    if sys.argv[1:2] == ["doctor"]:
        from warren.doctor import before_django  # noqa: PLC0415  only the doctor needs it

        before_django.leave_if_unfit(sys.argv)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    _main()

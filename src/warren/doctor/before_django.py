"""What the doctor says where Django itself cannot start; any other command ends with a traceback then.

A secret cannot be read, a setting makes no sense, or an app is broken.
"""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings

from warren.doctor import report
from warren.doctor.finding import fail
from warren.jobs.terminal import console_on

NAME = "settings.load"
DO = (
    "The message names the variable, the file or the app. Variables are in .env (.env.example explains each), secrets"
    " in the volume `secrets`: `docker compose up --detach --force-recreate secrets` writes them anew; then `make up`."
)


def leave_if_unfit(arguments: Sequence[str]) -> None:
    """Report that Django does not start, and raise `SystemExit`; or do nothing."""
    started = time.monotonic()
    try:
        django.setup()
        _ = settings.SECRET_KEY  # Django looks at it only when it is needed
    except Exception as exc:  # noqa: BLE001  settings and apps may raise anything
        findings = {NAME: fail(f"{type(exc).__name__}: {exc}{_where(exc)}", do=DO)}
        took_s = time.monotonic() - started
        if "--json" in arguments:
            at = datetime.now(UTC).isoformat()
            sys.stdout.write(f"{json.dumps(report.document(findings, at=at, took_s=took_s), indent=2)}\n")
        else:
            report.show(console_on(sys.stdout), findings, took_s=took_s)
        sys.exit(1)


def _where(exc: Exception) -> str:
    """The last line of ours that it came from."""
    ours = Path(__file__).parents[2]
    frames, traceback = [], exc.__traceback__
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(ours) and path != Path(__file__):
            frames.append(f" ({path.relative_to(ours)}, line {traceback.tb_lineno})")
        traceback = traceback.tb_next
    return frames[-1] if frames else ""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from warren.telemetry.logs import LogStream

SRC = Path(__file__).parents[2]
SETTINGS = "import django; django.setup(); import logging, threading, warnings; "


def _said(code: str, **env: str) -> list[dict[str, Any]]:
    """The lines of a process with Django's settings; each is one object."""

    done = subprocess.run(  # noqa: S603  our own interpreter and code
        [sys.executable, "-c", SETTINGS + code],
        cwd=SRC,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_names_its_service() -> None:
    (event,) = _said("logging.getLogger('apps.mail').info('sent')", WARREN_SERVICE="relay")

    assert (event["service"], event["logger"], event["message"]) == ("relay", "apps.mail", "sent")


def test_what_nobody_has_caught_is_a_line() -> None:
    (event,) = _said("raise LookupError('no such thing')")

    assert (event["level"], event["message"]) == ("critical", "ended by LookupError: no such thing")
    assert "LookupError: no such thing" in event["traceback"]


def test_what_ends_a_thread_is_a_line() -> None:
    code = "t = threading.Thread(target=lambda: 1 / 0, name='keeper'); t.start(); t.join()"

    (event,) = _said(code)

    assert event["message"] == "thread keeper ended by ZeroDivisionError: division by zero"


def test_what_a_command_writes_for_a_terminal_is_a_line_for_each(caplog: pytest.LogCaptureFixture) -> None:
    stream = LogStream(logging.getLogger("warren.test"))

    with caplog.at_level(logging.INFO):
        for text in ("Operations:\n  Applying 0001...", " OK\n", "\n", "not ended"):
            stream.write(text)

    assert caplog.messages == ["Operations:", "Applying 0001... OK"]


def test_a_warning_is_a_line() -> None:
    (event,) = _said("warnings.warn('old ways', UserWarning)")

    assert (event["level"], event["logger"]) == ("warning", "py.warnings")
    assert "old ways" in event["message"]


def test_structlog_s_fields_are_fields_also_those_that_logging_keeps_for_itself() -> None:
    code = (
        "from warren.telemetry.structured import get_logger\n"
        "get_logger('apps.rows').bind(source='x').info('imported', rows=17, name='n')"
    )

    (event,) = _said(code)

    assert (event["message"], event["logger"], event["level"]) == ("imported", "apps.rows", "info")
    assert (event["source"], event["rows"], event["name_"]) == ("x", 17, "n")


def test_an_unknown_format_stops_the_start_and_says_which_there_are() -> None:

    done = subprocess.run(  # noqa: S603  our own interpreter and code
        [sys.executable, "-c", SETTINGS],
        cwd=SRC,
        env={**os.environ, "LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "LOG_FORMAT" in done.stderr

import json
import logging
import sys
import time
from typing import Any

import pytest

from warren.telemetry.lines import Lines


def _record(message: str = "done", *args: Any, name: str = "apps.mail", **extra: Any) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.INFO, "mail.py", 7, message, args, None)
    vars(record).update(extra)
    return record


def _fail(why: str) -> None:
    raise ValueError(why)


@pytest.fixture
def lines() -> Lines:
    return Lines(style="json", service="worker-io", fields=lambda: {"job_id": "7", "attempt": 2})


def test_it_is_one_object_with_what_was_said_where_and_about_what(lines: Lines) -> None:
    event = json.loads(lines.format(_record("sent %s mails", 3)))

    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "info",
        "logger": "apps.mail",
        "message": "sent 3 mails",
        "service": "worker-io",
        "job_id": "7",
        "attempt": 2,
    }


def test_it_has_what_the_caller_added_which_stands_over_the_surroundings(lines: Lines) -> None:
    event = json.loads(lines.format(_record(rows=17, job_id="8")))

    assert (event["rows"], event["job_id"]) == (17, "8")


def test_a_traceback_is_one_field_of_one_line(lines: Lines) -> None:
    record = _record("failed")
    try:
        _fail("broken\nin two")
    except ValueError:
        record.exc_info = sys.exc_info()

    line = lines.format(record)

    assert "\n" not in line
    assert json.loads(line)["traceback"].startswith("Traceback (most recent call last):\n")
    assert json.loads(line)["traceback"].endswith("ValueError: broken\nin two")


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), {("a", "b"): 1}, "a file's name: \udcff", b"\xff"])
def test_it_writes_what_json_cannot_hold(lines: Lines, value: Any) -> None:
    line = lines.format(_record("odd", value=value))

    line.encode()
    assert json.loads(line)["message"] == "odd"
    assert "value" in json.loads(line)


def test_celery_s_lines_about_a_job_have_its_id_wherever_they_are_written() -> None:
    lines = Lines(style="json", service="worker-cpu")
    about = {"id": "7", "name": "images.resize", "exc": "lost"}

    event = json.loads(lines.format(_record("Task %(name)s[%(id)s]: %(exc)s", about, name="celery.worker.request")))

    assert (event["job_id"], event["task"]) == ("7", "images.resize")
    assert event["message"] == "Task images.resize[7]: lost"


def test_a_line_costs_a_twentieth_of_a_short_job_at_most() -> None:
    lines = Lines(style="json", service="worker-cpu", fields=lambda: {"job_id": "7", "task": "t", "attempt": 1})
    about = {"id": "7", "name": "t", "runtime": 0.001, "return_value": "None"}
    record = _record("Task %(name)s[%(id)s] succeeded in %(runtime)ss", about, name="celery.app.trace", data=about)

    begun = time.process_time()
    for _ in range(2000):
        lines.format(record)

    assert (time.process_time() - begun) / 2000 < 0.000_08


def test_the_console_shows_the_same_in_colours_with_the_traceback_below() -> None:
    lines = Lines(style="console", service="web", fields=lambda: {"job_id": "7"})
    record = _record("failed")
    try:
        _fail("broken")
    except ValueError:
        record.exc_info = sys.exc_info()

    text = lines.format(record)

    first, *rest = text.splitlines()
    assert "failed" in first
    assert "\x1b[" in first
    assert "job_id" in first
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ValueError: broken"

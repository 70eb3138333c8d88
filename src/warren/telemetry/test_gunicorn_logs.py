"""gunicorn's logger as gunicorn.conf.py sets it up, in a process that has neither Django's settings nor Celery."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SRC = Path(__file__).parents[2]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

GUNICORN = """
import sys
from types import SimpleNamespace
from gunicorn.config import Config
from gunicorn.glogging import Logger
from warren.telemetry import gunicorn_logs
config = Config()
config.set("accesslog", "-")
config.set("access_log_format", gunicorn_logs.ACCESS_FORMAT)
config.set("logconfig_dict", gunicorn_logs.config(style="json", service="web"))
gunicorn = Logger(config)
environ = {
    "REQUEST_METHOD": "POST", "RAW_URI": "/api/jobs/?token=secret", "PATH_INFO": "/api/jobs/",
    "QUERY_STRING": "token=secret", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "10.0.0.1",
}
def access(**headers):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    response = SimpleNamespace(status=202, headers=named, sent=312)
    took = SimpleNamespace(seconds=0, microseconds=12_300)
    gunicorn.access(response, [("User-Agent", "curl")], environ, took)
"""


def _said(code: str) -> dict[str, Any]:
    """The one line of a process."""
    done = subprocess.run(  # noqa: S603  our own interpreter and code
        [sys.executable, "-c", GUNICORN + code], cwd=SRC, capture_output=True, text=True, check=True
    )
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    return dict(json.loads(line))


def test_a_request_is_one_object_with_the_ids_of_its_answer() -> None:
    event = _said(f"access(X_Request_ID='abc-1', traceparent='00-{TRACE}-{SPAN}-01')")

    assert (event["message"], event["service"], event["logger"]) == ("POST /api/jobs/ 202", "web", "gunicorn.access")
    assert (event["method"], event["path"], event["status"]) == ("POST", "/api/jobs/", 202)
    assert (event["duration_ms"], event["bytes"], event["remote_addr"]) == (12, 312, "10.0.0.1")
    assert (event["request_id"], event["trace_id"], event["span_id"]) == ("abc-1", TRACE, SPAN)


def test_it_tells_no_query_string() -> None:
    event = _said("access()")

    assert "secret" not in json.dumps(event)
    assert "request_id" not in event


def test_gunicorn_s_own_errors_are_objects() -> None:
    event = _said("gunicorn.warning('worker %s was sent SIGKILL', 7)")

    assert (event["level"], event["message"]) == ("warning", "worker 7 was sent SIGKILL")


def test_gunicorn_s_main_process_needs_neither_django_nor_celery() -> None:
    event = _said("gunicorn.warning('%s', sorted({'django', 'celery', 'opentelemetry'} & set(sys.modules)))")

    assert event["message"] == "[]"

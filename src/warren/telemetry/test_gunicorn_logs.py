import json
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from warren.telemetry import gunicorn_logs

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def gunicorn(capsys: pytest.CaptureFixture[str]) -> Logger:  # noqa: ARG001  its streams are taken when it is made
    config = Config()
    config.set("accesslog", "-")
    config.set("access_log_format", gunicorn_logs.ACCESS_FORMAT)
    # not the root, which belongs to pytest
    wanted = {**gunicorn_logs.config(style="json", service="web"), "root": {}}
    config.set("logconfig_dict", wanted)
    return Logger(config)


def _access(gunicorn: Logger, **headers: str) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/api/jobs/?token=secret",
        "PATH_INFO": "/api/jobs/",
        "QUERY_STRING": "token=secret",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.1",
    }
    response = SimpleNamespace(status=202, headers=list(headers.items()), sent=312)
    took = SimpleNamespace(seconds=0, microseconds=12_300)
    gunicorn.access(response, [("User-Agent", "curl")], environ, took)


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().err.splitlines()
    return dict(json.loads(line))


def test_a_request_is_one_object_with_the_ids_of_its_answer(
    gunicorn: Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    _access(gunicorn, **{"X-Request-ID": "abc-1", "traceparent": f"00-{TRACE}-{SPAN}-01"})

    event = _line(capsys)

    assert (event["message"], event["service"], event["logger"]) == ("POST /api/jobs/ 202", "web", "gunicorn.access")
    assert (event["method"], event["path"], event["status"]) == ("POST", "/api/jobs/", 202)
    assert (event["duration_ms"], event["bytes"], event["remote_addr"]) == (12, 312, "10.0.0.1")
    assert (event["request_id"], event["trace_id"], event["span_id"]) == ("abc-1", TRACE, SPAN)


def test_it_tells_no_query_string(gunicorn: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    _access(gunicorn)

    event = _line(capsys)

    assert "secret" not in json.dumps(event)
    assert "request_id" not in event


def test_gunicorn_s_own_errors_are_objects(gunicorn: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    gunicorn.warning("worker %s was sent SIGKILL", 7)

    event = _line(capsys)

    assert (event["level"], event["message"]) == ("warning", "worker 7 was sent SIGKILL")

"""`manage.py doctor` as a process: its exit codes, its document, and its end where nothing answers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from warren.doctor.examination import LIMIT_S

pytestmark = pytest.mark.usefixtures("database")

MANAGE = Path(__file__).parents[2] / "manage.py"
START_S = 30  # Python's, on a busy machine


def _doctor(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """A variable that is None is not there."""
    wanted = {**os.environ, "POSTGRES_DB": str(connection.settings_dict["NAME"]), **environment}
    values = {name: value for name, value in wanted.items() if value is not None}
    command = [sys.executable, str(MANAGE), "doctor", *arguments]
    return subprocess.run(  # noqa: S603  this repository's own command
        command, env=values, capture_output=True, text=True, timeout=LIMIT_S + START_S, check=False
    )


def _checks(said: str) -> dict[str, dict[str, Any]]:
    return {check.pop("name"): check for check in json.loads(said)["checks"]}


def test_it_prints_one_document_and_ends_with_1_when_something_fails() -> None:
    done = _doctor("--json")

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert told.keys() == {"ok", "at", "took_s", "summary", "checks"}
    assert told["ok"] is False
    assert sum(told["summary"].values()) == len(told["checks"])
    assert told["summary"].keys() == {"OK", "WARN", "FAIL", "SKIPPED"}
    checks = _checks(done.stdout)
    assert all(check.keys() == {"status", "found", "do"} for check in checks.values())
    assert checks["postgres.reachable"]["status"] == "OK"
    # no worker and no beat run here
    assert checks["workers.alive"]["status"] == checks["beat.leads"]["status"] == "FAIL"
    assert "docker compose up --detach worker-cpu worker-io" in checks["workers.alive"]["do"]


def test_it_prints_a_table_and_what_to_do_below() -> None:
    said = _doctor().stdout.splitlines()

    assert said[0].split() == ["CHECK", "STATUS", "FOUND"]
    assert said[said.index("FAIL beat.leads") + 1].startswith("  docker compose ps --all beat;")
    assert " OK, " in said[-1]


def test_it_names_both_services_that_are_away_and_skips_what_needs_them() -> None:
    done = _doctor("--json", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT="1", BROKER_URL="pyamqp://127.0.0.1:1//")

    checks = _checks(done.stdout)
    assert done.returncode == 1
    assert "127.0.0.1:1" in checks["postgres.reachable"]["found"]
    assert "docker compose up --detach postgres" in checks["postgres.reachable"]["do"]
    assert "127.0.0.1:1 refuses connections" in checks["rabbitmq.reachable"]["found"]
    failed = {name for name, check in checks.items() if check["status"] == "FAIL"}
    assert failed == {"postgres.reachable", "rabbitmq.reachable"}
    assert checks["outbox.moves"] == {"status": "SKIPPED", "found": "postgres.migrations did not work", "do": ""}


def test_it_ends_in_bounded_time_where_both_are_frozen(silent_port: int) -> None:
    started = time.monotonic()

    done = _doctor(
        "--json",
        POSTGRES_HOST="127.0.0.1",
        POSTGRES_PORT=str(silent_port),
        BROKER_URL=f"pyamqp://127.0.0.1:{silent_port}//",
    )

    assert time.monotonic() - started < LIMIT_S + START_S
    told = json.loads(done.stdout)
    checks = _checks(done.stdout)
    assert told["took_s"] < 12
    assert "timeout" in checks["postgres.reachable"]["found"]
    assert "does not answer within" in checks["rabbitmq.reachable"]["found"]


def test_it_says_what_keeps_django_from_starting(tmp_path: Path) -> None:
    done = _doctor("--json", DJANGO_SECRET_KEY=None, DJANGO_SECRET_KEY_FILE=str(tmp_path / "nothing"))

    assert done.returncode == 1
    (name, check), *others = _checks(done.stdout).items()
    assert not others
    assert (name, check["status"]) == ("settings.load", "FAIL")
    assert "DJANGO_SECRET_KEY_FILE" in check["found"]
    assert "warren/config/settings.py" in check["found"]


def test_it_says_so_to_people_too() -> None:
    done = _doctor(BROKER_URL="amqp://rabbitmq//")

    assert done.returncode == 1
    assert "FAIL settings.load" in done.stdout
    assert "write pyamqp://" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_command_line_that_makes_no_sense_ends_with_2() -> None:
    done = _doctor("--quick")

    assert done.returncode == 2
    assert "--quick" in done.stderr

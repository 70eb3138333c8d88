"""The doctor on the whole stack: all is well, and what is not has a name, in bounded time."""

import json
import time
from typing import Any

from tests.integration import workers
from tests.stack import waiting
from tests.stack.stack import CommandFailedError, Stack

WELL_WITHIN_S = 10
ANSWERS_WITHIN_S = 40  # the doctor's own bound is 25 s; Python's start, and the engine's
# the one thing that web's user may not see
NOT_FOR_WEB = {"rabbitmq.arguments"}
AS_ADMIN = ("run", "--rm", "--no-deps", "--no-TTY", "migrate", "python", "manage.py", "doctor", "--json")

# `CommandFailedError` has the output in its message, which is no document; so the exit code is printed beside it
_RUN = 'python manage.py doctor "$@"; echo "exit code $?"'


def _doctor(stack: Stack) -> tuple[int, dict[str, dict[str, Any]]]:
    """Its exit code, and what each check found."""
    said = stack.execute("web", "bash", "-c", _RUN, "doctor", "--json")
    document, _, code = said.rpartition("exit code ")
    return int(code), {check["name"]: check for check in json.loads(document)["checks"]}


def _doctor_in_time(stack: Stack, *, within_s: float = ANSWERS_WITHIN_S) -> tuple[int, dict[str, dict[str, Any]]]:
    """As `_doctor`, which must not keep whoever asks waiting, whatever is broken."""
    started = time.monotonic()
    found = _doctor(stack)
    assert time.monotonic() - started < within_s
    return found


def _names(checks: dict[str, dict[str, Any]], *statuses: str) -> set[str]:
    return {name for name, check in checks.items() if check["status"] in statuses}


def _well(stack: Stack) -> dict[str, dict[str, Any]]:
    """What the doctor finds when the stack has recovered from what other tests did to it."""

    def look() -> dict[str, dict[str, Any]] | None:
        _, checks = _doctor(stack)
        return None if _names(checks, "FAIL") else checks

    return waiting.until(look, within_s=60, what="the doctor finds nothing that fails")


def test_on_a_stack_that_is_well_it_finds_nothing_and_soon(stack: Stack) -> None:
    _well(stack)

    code, checks = _doctor_in_time(stack, within_s=WELL_WITHIN_S)

    assert code == 0
    # workers that other tests have taken away are told of for a day, and the disk is the machine's
    assert _names(checks, "WARN", "FAIL") <= {"workers.alive", "container.disk"}
    assert _names(checks, "SKIPPED") == NOT_FOR_WEB
    for service in ("cpu", "io"):
        assert f"worker-{service}@" in checks["workers.answer"]["found"]


def test_with_the_administrators_rights_it_sees_the_arguments_too(stack: Stack) -> None:
    said = stack.compose(*AS_ADMIN)

    checks = {check["name"]: check for check in json.loads(said)["checks"]}
    assert checks["rabbitmq.arguments"]["status"] == "OK"
    assert _names(checks, "FAIL") == set()


def test_it_shows_people_a_table(stack: Stack) -> None:
    heading, *lines = stack.execute("web", "python", "manage.py", "doctor").splitlines()

    assert heading.split() == ["CHECK", "STATUS", "FOUND"]
    assert any(line.startswith("postgres.reachable") and " OK " in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_without_rabbitmq_it_says_so_and_looks_at_all_else(stack: Stack) -> None:
    _well(stack)
    with stack.stopped("rabbitmq"):
        code, checks = _doctor_in_time(stack)

    assert code == 1
    assert _names(checks, "FAIL") == {"rabbitmq.reachable"}
    assert "docker compose up --detach rabbitmq" in checks["rabbitmq.reachable"]["do"]
    assert {"rabbitmq.queues", "workers.answer"} <= _names(checks, "SKIPPED")
    assert {"postgres.reachable", "outbox.moves", "beat.leads"} <= _names(checks, "OK", "WARN")


def test_without_postgres_it_says_so_and_looks_at_all_else(stack: Stack) -> None:
    _well(stack)
    with stack.stopped("postgres"):
        code, checks = _doctor_in_time(stack)

    assert code == 1
    assert _names(checks, "FAIL") == {"postgres.reachable"}
    assert "docker compose up --detach postgres" in checks["postgres.reachable"]["do"]
    assert {"postgres.migrations", "outbox.moves", "workers.alive", "beat.leads"} <= _names(checks, "SKIPPED")
    assert {"rabbitmq.reachable", "rabbitmq.queues"} <= _names(checks, "OK")


def test_a_rabbitmq_that_is_frozen_is_named_in_bounded_time(stack: Stack) -> None:
    with stack.frozen("rabbitmq"):
        code, checks = _doctor_in_time(stack)

    assert code == 1
    assert "does not answer within" in checks["rabbitmq.reachable"]["found"]
    assert "restart rabbitmq" in checks["rabbitmq.reachable"]["do"]
    assert "postgres.reachable" in _names(checks, "OK")


def test_a_postgres_that_is_frozen_is_named_in_bounded_time(stack: Stack) -> None:
    with stack.frozen("postgres"):
        code, checks = _doctor_in_time(stack)

    assert code == 1
    assert checks["postgres.reachable"]["status"] == "FAIL"
    assert "rabbitmq.reachable" in _names(checks, "OK")


def test_rabbitmqs_disk_alarm_is_named(stack: Stack) -> None:
    limit = ("rabbitmqctl", "set_disk_free_limit")
    stack.execute("rabbitmq", *limit, "1000000GB")
    try:
        code, checks = _doctor(stack)
    finally:
        stack.execute("rabbitmq", *limit, "512MB")

    assert code == 1
    assert "an alarm for disk" in checks["rabbitmq.alarms"]["found"]


def test_a_queue_that_nobody_consumes_is_named(stack: Stack) -> None:
    with workers.not_consuming(stack, worker="io"):
        _, checks = _doctor(stack)

    assert checks["rabbitmq.consumers"]["status"] == "FAIL"
    assert "nobody consumes io" in checks["rabbitmq.consumers"]["found"]


def test_a_web_that_cannot_start_is_told_why(stack: Stack) -> None:
    arguments = ["run", "--rm", "--no-deps", "--no-TTY", "--env", "BROKER_URL=amqp://rabbitmq:5672/warren", "web"]
    try:
        stack.compose(*arguments, "python", "manage.py", "doctor")
    except CommandFailedError as exc:
        said = str(exc)
    else:
        raise AssertionError("the doctor finds nothing wrong with a web that cannot start")

    assert "exit code 1" in said
    assert "FAIL settings.load" in said
    assert "write pyamqp://" in said

"""The workers, as they answer: do they hear us, what time is it there, and do they run what we run?"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import current_app

from warren.delivery import broker_addresses
from warren.delivery.leases import LEASE_S
from warren.doctor import broker, postgres
from warren.doctor.checks.leases import ALIVE
from warren.doctor.checks.postgres import SKEW_FAIL, SKEW_WARN, skew
from warren.doctor.finding import Check, Finding, fail, ok, warn
from warren.health import about, versions

ANSWER_S = 2.0
RESTART = "docker compose restart worker-cpu worker-io"
_NAMES = "SELECT DISTINCT name FROM warren_worker WHERE seen_at > now() - %s * interval '1s'"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one worker told, and when we asked and heard it."""

    told: dict[str, Any]
    asked_at: datetime
    heard_at: datetime


class Workers:
    """One round of questions for three checks."""

    def __init__(self, *, ask: Callable[..., None] = about.ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._expected: set[str] = set()
        self._answers: dict[str, Answer] | None = None

    def answer(self) -> Finding:
        """Every worker that lives hears remote control: cancels reach it at once, and Flower sees it."""
        answers = self._all()
        if silent := sorted(self._expected - answers.keys()):
            do = f"A worker that computes without pause answers late: ask again. Else: {RESTART}"
            return warn(f"no answer within {ANSWER_S:.0f} s: {', '.join(silent)}; the others: {len(answers)}", do=do)
        return ok(f"{', '.join(sorted(answers))} answer")

    def clocks(self) -> Finding:
        """Their clocks against this container's, which `postgres.clock` compares with Postgres'."""
        off = {name: _skew(answer) for name, answer in self._all().items() if "now" in answer.told}
        wrong = {name: ahead for name, ahead in off.items() if abs(ahead) >= SKEW_WARN}
        if not wrong:
            return ok(f"{len(off)} workers have the same time as this container")
        told = ", ".join(f"{name} {ahead.total_seconds():+.1f} s" for name, ahead in sorted(wrong.items()))
        do = "Set the time of the machine that it runs on: timedatectl set-ntp true"
        if max(map(abs, wrong.values())) >= SKEW_FAIL:
            return fail(f"clocks that are off: {told}; schedules and expiry go by Postgres', tasks by their own", do=do)
        return warn(f"clocks that are off: {told}", do=do)

    def versions(self) -> Finding:
        """What they run against what this container runs."""
        here, differ, old = versions.here(), list[str](), list[str]()
        for name, answer in sorted(self._all().items()):
            theirs: Mapping[str, str] | None = answer.told.get("versions")
            if theirs is None:
                old.append(name)
                continue
            shared = sorted(here.keys() & theirs.keys())
            differ += [
                f"{name} has {each} {theirs[each]}, this one {here[each]}"
                for each in shared
                if theirs[each] != here[each]
            ]
        if old or differ:
            told = "; ".join([*differ, *(f"{name} runs code that does not tell" for name in old)])
            return warn(told, do="Build and start all from the same source: make up")
        extra = {
            f"librabbitmq {answer.told['versions']['librabbitmq-fork']}"
            for answer in self._all().values()
            if "librabbitmq-fork" in answer.told["versions"]
        }
        return ok("; ".join(["all the same as here", *sorted(extra)]))

    def checks(self) -> tuple[Check, ...]:
        """In the order of the report."""
        answers = "workers.answer"
        return (
            Check(name=answers, examine=self.answer, needs=(ALIVE, f"{_broker()}.reachable")),
            Check(name="workers.clocks", examine=self.clocks, needs=(answers,)),
            Check(name="workers.versions", examine=self.versions, needs=(answers,)),
        )

    def _all(self) -> dict[str, Answer]:
        with self._lock:
            if self._answers is None:
                self._answers = self._round()
            return self._answers

    def _round(self) -> dict[str, Answer]:
        with postgres.asked() as asked:
            self._expected = {name for (name,) in asked.execute(_NAMES, [LEASE_S]).fetchall()}
        answers: dict[str, Answer] = {}
        bounds = dict.fromkeys(("read_timeout", "write_timeout", "socket_timeout"), broker.TIMEOUT_S + ANSWER_S)
        with current_app.connection_for_write(
            broker.url(), connect_timeout=broker.TIMEOUT_S, transport_options=bounds
        ) as connection:
            broker_addresses.connect(connection)
            asked_at = datetime.now(UTC)

            def hear(name: str, told: dict[str, Any]) -> None:
                answers[name] = Answer(told=told, asked_at=asked_at, heard_at=datetime.now(UTC))

            self._ask(current_app, connection=connection, timeout_s=ANSWER_S, expected=len(self._expected), heard=hear)
        return answers


def _skew(answer: Answer) -> timedelta:
    theirs = datetime.fromtimestamp(answer.told["now"], UTC)
    return skew(theirs, before=answer.asked_at, after=answer.heard_at)


def _broker() -> str:
    return "redis" if broker.is_redis() else "rabbitmq"

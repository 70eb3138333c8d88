"""Two beats: one leads. Leaders are killed, frozen and cut off; each tick fires once, and never long after its time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from testcontainers.compose import ComposeContainer

from tests.stack import django_code, postgres, waiting
from tests.stack.stack import Stack

KILLS = 3
EVERY_S = 2
FAILOVER_S = 15
START_S = 60  # for a machine that does other things meanwhile

_MAKE = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every, _ = IntervalSchedule.objects.get_or_create(every={every_s}, period=IntervalSchedule.SECONDS)
PeriodicTask.objects.create(name={name!r}, task="probe.cpu.echo", interval=every, args='["{name}"]')
"""
_SWITCH_OFF = "UPDATE django_celery_beat_periodictask SET enabled = false WHERE name = :'name'"
_DELETE = "DELETE FROM django_celery_beat_periodictask WHERE name = :'name'"
_LEADER = "SELECT name FROM warren_schedule_leader WHERE seen_at > now() - interval '3 s'"
_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7238001 AND granted"
_RUNS = "SELECT total_run_count FROM django_celery_beat_periodictask WHERE name = :'name'"
_FIRED = """
SELECT extract(epoch FROM created_at) FROM warren_job
WHERE task = 'probe.cpu.echo' AND arguments LIKE '%' || :'name' || '%' ORDER BY created_at
"""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What the entry that was due every two seconds did while leaders were lost."""

    failover_s: dict[str, float]
    fired_at: list[float]
    runs_noted: int
    leaders_after: float
    thawed_stayed: bool


@pytest.fixture(scope="module")
def course(shared_stack: Stack) -> Iterator[Course]:
    stack, name = shared_stack, uuid4().hex
    stack.change({})
    with stack.scaled("beat", to=2):
        django_code.run(stack, _MAKE.format(name=name, every_s=EVERY_S))
        try:
            yield _lose_leaders(stack, name)
        finally:
            postgres.ask(stack, _DELETE, name=name)


def test_another_leads_within_fifteen_seconds_of_each_loss(course: Course) -> None:
    assert len(course.failover_s) == KILLS + 2
    assert all(seconds < FAILOVER_S for seconds in course.failover_s.values()), course.failover_s


def test_each_tick_fired_once(course: Course) -> None:
    gaps = _gaps(course)

    assert len(course.fired_at) == course.runs_noted
    assert min(gaps) > EVERY_S / 2, gaps


def test_no_tick_was_long_overdue(course: Course) -> None:
    assert max(_gaps(course)) < FAILOVER_S, course.failover_s


def test_one_leads_when_all_are_back(course: Course) -> None:
    assert course.leaders_after == 1


def test_a_leader_that_thaws_follows(course: Course) -> None:
    assert course.thawed_stayed


def _lose_leaders(stack: Stack, name: str) -> Course:
    failover_s = {}
    _await_ticks(stack, name, more=2)
    for number in range(KILLS):
        leader, failover_s[f"kill {number}"] = _lose(stack, lambda each: stack.engine("kill", each))
        stack.engine("start", leader)
        _await_healthy(stack)
    frozen, failover_s["freeze"] = _lose(stack, stack.pause)
    stack.engine("unpause", frozen)
    _await_ticks(stack, name, more=3)
    thawed_stayed = _leader(stack) != frozen
    network = f"{stack.values['COMPOSE_PROJECT_NAME']}_back"
    cut_off, failover_s["cut off"] = _lose(stack, lambda each: stack.engine("network", "disconnect", network, each))
    stack.engine("network", "connect", network, cut_off)
    _await_healthy(stack)
    _await_ticks(stack, name, more=3)
    postgres.ask(stack, _SWITCH_OFF, name=name)
    return Course(
        failover_s=failover_s,
        fired_at=[float(moment) for (moment,) in postgres.ask(stack, _FIRED, name=name)],
        runs_noted=int(postgres.number(stack, _RUNS, name=name)),
        leaders_after=postgres.number(stack, _LOCKS),
        thawed_stayed=thawed_stayed,
    )


def _lose(stack: Stack, fault: Callable[[str], None]) -> tuple[str, float]:
    """Do this to the leader; its container, and how long it took until the other one led."""
    leader = waiting.until(lambda: _leader(stack), within_s=FAILOVER_S, what="one leads")
    fault(leader)
    lost_at = time.monotonic()
    waiting.until(lambda: _leader(stack) not in (None, leader), within_s=2 * FAILOVER_S, what="the other one leads")
    return leader, time.monotonic() - lost_at


def _leader(stack: Stack) -> str | None:
    """The name in the leader's row, which is its container's id."""
    rows = postgres.ask(stack, _LEADER)
    return rows[0][0] if rows else None


def _await_healthy(stack: Stack) -> None:
    def look() -> bool:
        beats: list[ComposeContainer] = stack.containers(of="beat")
        return [each.Health for each in beats] == ["healthy", "healthy"]

    waiting.until(look, within_s=START_S, what="both beats are healthy")


def _await_ticks(stack: Stack, name: str, *, more: int) -> None:
    wanted = postgres.number(stack, _RUNS, name=name) + more
    waiting.until(
        lambda: postgres.number(stack, _RUNS, name=name) >= wanted, within_s=START_S, what=f"{more} more ticks"
    )


def _gaps(course: Course) -> list[float]:
    return [later - earlier for earlier, later in zip(course.fired_at, course.fired_at[1:], strict=False)]

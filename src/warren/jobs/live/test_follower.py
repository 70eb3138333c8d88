"""What a slow reader gets."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.live.changes import MOST_STATES
from warren.jobs.live.follower import MOST_PENDING, Event, Follower, Kind
from warren.jobs.live.following import Following
from warren.jobs.live.snapshots import Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _snapshot(state: State = State.RUNNING, **fields: Any) -> Snapshot:
    return Snapshot(Job(**{"pk": "one", "state": state, "available_at": NOW, **fields}))


def _of_a_job(*, seen: str = "") -> Follower:
    return Follower(Following(user_id=1, job_id="one", seen=seen))


def _of_a_list() -> Follower:
    return Follower(Following(user_id=1, owner_id=1))


def _taken(follower: Follower) -> list[Event]:
    return asyncio.run(follower.take(within_s=0.01))


def test_it_sends_nothing_when_nothing_happens() -> None:
    assert _taken(_of_a_job()) == []


def test_it_sends_the_latest_state_of_a_job_alone() -> None:
    follower = _of_a_job()
    for number in range(1000):
        follower.put(_snapshot(progress=str(number)))

    (event,) = _taken(follower)

    assert event.snapshot is not None
    assert event.snapshot.job.progress == "999"
    assert _taken(follower) == []


def _states(follower: Follower) -> list[tuple[str, int]]:
    return [(each.snapshot.job.state, each.snapshot.job.attempt) for each in _taken(follower) if each.snapshot]


def test_it_sends_the_states_that_a_job_has_passed_with_the_attempt_of_then() -> None:
    follower = _of_a_job()
    follower.put(_snapshot(State.ACCEPTED))
    told = [State.QUEUED, State.RUNNING, State.RETRYING, State.RUNNING, State.SUCCEEDED]

    follower.put(_snapshot(State.SUCCEEDED, attempt=2, finished_at=NOW), told=told)

    assert _states(follower) == [
        ("accepted", 0),
        ("queued", 0),
        ("running", 1),
        ("retrying", 1),
        ("running", 2),
        ("succeeded", 2),
    ]


def test_what_is_passed_is_shown_as_far_as_the_row_still_says() -> None:
    follower = _of_a_job()
    follower.put(_snapshot(State.ACCEPTED))
    ended = {"attempt": 1, "worker": "w1", "started_at": NOW, "finished_at": NOW, "progress": "{}"}
    follower.put(_snapshot(State.SUCCEEDED, **ended), told=[State.QUEUED, State.RUNNING, State.SUCCEEDED])

    jobs = [event.snapshot.job for event in _taken(follower) if event.snapshot][1:]

    told = [(job.state, job.worker, job.started_at, job.finished_at, job.progress) for job in jobs]
    assert told == [
        ("queued", "", None, None, None),
        ("running", "w1", NOW, None, "{}"),
        ("succeeded", "w1", NOW, NOW, "{}"),
    ]


def test_what_was_told_before_it_is_no_news_to_a_new_stream() -> None:
    follower = _of_a_job(seen=_snapshot(State.RUNNING).version)

    follower.put(_snapshot(State.RUNNING), told=[State.QUEUED, State.RUNNING])
    assert _taken(follower) == []

    follower.put(_snapshot(State.RETRYING), told=[State.RUNNING, State.RETRYING])
    assert _states(follower) == [("retrying", 0)]


def test_a_passed_end_is_left_out_since_it_was_none() -> None:
    follower = _of_a_job()
    follower.put(_snapshot(State.RUNNING, attempt=1))

    follower.put(_snapshot(State.QUEUED, attempt=1), told=[State.FAILED, State.ACCEPTED, State.QUEUED])

    assert _states(follower) == [("running", 1), ("accepted", 1), ("queued", 1)]


def test_a_reader_who_never_reads_keeps_the_last_states_only() -> None:
    follower = _of_a_job()
    for number in range(1000):
        follower.put(_snapshot((State.RUNNING, State.RETRYING)[number % 2], attempt=number))

    assert [attempt for _, attempt in _states(follower)] == list(range(1000 - MOST_STATES, 1000))


def test_it_sends_no_state_twice() -> None:
    follower = _of_a_job(seen=_snapshot().version)

    follower.put(_snapshot())

    assert _taken(follower) == []


def test_it_ends_after_the_final_state() -> None:
    follower = _of_a_job()

    follower.put(_snapshot(State.FAILED))

    assert [event.kind for event in _taken(follower)] == [Kind.JOB, Kind.END]


def test_it_ends_though_the_reader_has_seen_the_final_state() -> None:
    follower = _of_a_job(seen=_snapshot(State.FAILED).version)

    follower.put(_snapshot(State.FAILED))

    assert _taken(follower) == [Event(Kind.END)]


def test_it_sends_what_waits_before_the_end() -> None:
    follower = _of_a_job()

    follower.put(_snapshot())
    follower.end(Kind.RECONNECT)
    follower.end(Kind.LEFT)

    follower.put(_snapshot(State.SUCCEEDED))

    *told, end = _taken(follower)
    assert [event.snapshot and event.snapshot.job.state for event in told] == [State.RUNNING]
    assert end.kind is Kind.RECONNECT


def test_a_list_sends_each_job_once_the_latest_change_last() -> None:
    follower = _of_a_list()
    for job_id in ("a", "b", "a"):
        follower.put(_snapshot(pk=job_id))

    assert [event.snapshot.job.pk for event in _taken(follower) if event.snapshot] == ["b", "a"]


def test_a_list_that_falls_behind_is_loaded_anew() -> None:
    follower = _of_a_list()
    for _ in range(MOST_PENDING + 10):
        follower.put(_snapshot(pk=str(uuid4())))

    assert _taken(follower) == [Event(Kind.RELOAD)]
    follower.put(_snapshot())
    assert [event.kind for event in _taken(follower)] == [Kind.JOB]


def test_a_version_tells_states_apart_and_is_the_same_everywhere() -> None:
    assert _snapshot().version == _snapshot().version
    changes: list[dict[str, Any]] = [{}, {"state": State.QUEUED}, {"attempt": 2}, {"progress": "{}"}, {"worker": "w"}]
    different = [_snapshot(**each) for each in changes]
    assert len({each.version for each in different}) == len(different)

"""What a slow reader gets."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from warren.delivery.models import Job
from warren.delivery.states import State
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

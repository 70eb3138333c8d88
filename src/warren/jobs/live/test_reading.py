"""The hub and its reader, in one event loop, on the real database."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import OperationalError

from warren.delivery.listening import listener
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.jobs.live import changes, reading, snapshots
from warren.jobs.live.errors import TooManyOfYoursError, TooManyStreamsError
from warren.jobs.live.follower import Follower, Kind
from warren.jobs.live.following import Following
from warren.jobs.live.hub import Hub
from warren.jobs.live.snapshots import Snapshot

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN_S = 10.0

type Read = list[list[str]]
type Failures = list[Exception]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The ids that were read, for each time; nothing is read but what was told."""
    asked: Read = []
    original = snapshots.read

    def noting(job_ids: Collection[str]) -> dict[str, Snapshot]:
        asked.append(sorted(job_ids))
        return original(job_ids)

    monkeypatch.setattr(snapshots, "read", noting)
    monkeypatch.setattr(reading, "NEW_EVERY_S", 1000.0)
    monkeypatch.setattr(settings, "STREAMS_PER_USER", 1000)
    return asked


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Failures:
    """What each next reading raises, the last first; when there are none, it reads."""
    waiting: Failures = []
    original = snapshots.read

    def failing(job_ids: Collection[str]) -> dict[str, Snapshot]:
        if waiting:
            raise waiting.pop()
        return original(job_ids)

    monkeypatch.setattr(snapshots, "read", failing)
    return waiting


def _run(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(story(), 30)
        await asyncio.sleep(0)  # the reader hears that it is cancelled

    asyncio.run(whole())


async def _until_heard() -> None:
    while not listener.hears:  # noqa: ASYNC110  it lives in a thread
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # what was missed before is read


async def _change(job_id: str, **values: Any) -> None:
    await database_sync_to_async(Job.objects.filter(pk=job_id).update)(**values)


async def _next(follower: Follower) -> list[tuple[str, str]]:
    events = await follower.take(within_s=WITHIN_S)
    return [(event.kind, event.snapshot.job.state if event.snapshot else "") for event in events]


async def _all_states(follower: Follower) -> list[str]:
    """Those that are still to come, to the end."""
    seen: list[tuple[str, str]] = []
    while (Kind.END, "") not in seen:
        seen += await _next(follower)
    return [state for _, state in seen[:-1]]


def _job(job: Job) -> Following:
    return Following(user_id=1, job_id=job.pk)


def test_a_change_is_read_once_however_many_follow_the_job(make_job: MakeJob, read: Read) -> None:
    job = make_job(State.QUEUED)
    hub = Hub()

    async def story() -> None:
        followed = [hub.follow(_job(job)) for _ in range(40)]
        followers = [each.__enter__() for each in followed]
        await _until_heard()
        assert {tuple(await _next(each)) for each in followers} == {(("job", "queued"),)}
        read.clear()

        await _change(job.pk, state=State.RUNNING)

        assert {tuple(await _next(each)) for each in followers} == {(("job", "running"),)}
        assert read == [[job.pk]]
        for each in followed:
            each.__exit__(None, None, None)

    _run(story)


def test_every_state_of_a_fast_job_is_seen_in_order_by_one_read(
    make_job: MakeJob, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LEAST_PAUSE_S", 1.5)  # in which all of it happens
    job, other_job, hub = make_job(State.ACCEPTED), make_job(State.ACCEPTED), Hub()

    def hurry() -> None:
        rows = Job.objects.filter(pk=job.pk)
        rows.update(state=State.QUEUED)
        rows.update(state=State.RUNNING, attempt=1, worker="w1")
        for done in range(3):
            rows.update(progress=f'{{"state": "PROGRESS", "meta": {{"done": {done}}}}}')
        rows.update(state=State.SUCCEEDED, finished_at=job.created_at)

    async def story() -> None:
        with hub.follow(_job(job)) as follower, hub.follow(_job(other_job)) as other:
            await _until_heard()
            await _next(follower)
            await _next(other)
            read.clear()
            await _change(other_job.pk, state=State.QUEUED)
            await _next(other)  # now the reader pauses

            await database_sync_to_async(hurry)()

            assert await _all_states(follower) == ["queued", "running", "succeeded"]
            assert len(read) <= 3

    _run(story)


def test_states_that_were_told_while_postgres_was_away_are_not_lost(
    make_job: MakeJob, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, hub = make_job(State.ACCEPTED), Hub()
    monkeypatch.setattr(reading, "AGAIN_S", 0.3)

    async def story() -> None:
        with hub.follow(_job(job)) as follower:
            await _until_heard()
            await _next(follower)
            failures.append(OperationalError("away"))
            for state in (State.QUEUED, State.RUNNING, State.SUCCEEDED):
                ended = {"finished_at": job.created_at} if state is State.SUCCEEDED else {}
                await _change(job.pk, state=state, **ended)

            assert await _all_states(follower) == ["queued", "running", "succeeded"]
            assert not failures

    _run(story)


def test_what_changes_together_is_read_together(make_job: MakeJob, read: Read) -> None:
    jobs = [make_job(State.QUEUED) for _ in range(100)]
    hub = Hub()

    async def story() -> None:
        followed = [hub.follow(_job(job)) for job in jobs]
        followers = [each.__enter__() for each in followed]
        await _until_heard()
        for follower in followers:
            await _next(follower)
        read.clear()

        await database_sync_to_async(Job.objects.update)(state=State.RUNNING)

        for follower in followers:
            assert await _next(follower) == [("job", "running")]
        assert len(read) <= 3
        for each in followed:
            each.__exit__(None, None, None)

    _run(story)


def test_nobody_asks_for_what_nobody_follows(make_job: MakeJob, stranger: Any, read: Read) -> None:
    followed, unfollowed = make_job(State.QUEUED), make_job(State.QUEUED)
    others = make_job(State.QUEUED, owner=stranger)
    hub = Hub()

    async def story() -> None:
        with hub.follow(_job(followed)) as follower, hub.follow(Following(user_id=1, owner_id=stranger.pk)) as a_list:
            await _until_heard()
            await _next(follower)
            await _next(a_list)
            read.clear()

            await _change(unfollowed.pk, state=State.RUNNING)
            await _change(others.pk, state=State.RUNNING)
            await _change(followed.pk, state=State.RUNNING)

            assert await _next(follower) == [("job", "running")]
            assert await _next(a_list) == [("job", "running")]
            assert unfollowed.pk not in [job_id for ids in read for job_id in ids]

    _run(story)


def test_it_reads_again_when_postgres_was_away(
    make_job: MakeJob, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, hub = make_job(State.QUEUED), Hub()
    failures += [OperationalError("away"), ValueError("a defect")]
    monkeypatch.setattr(reading, "AGAIN_S", 0.05)

    async def story() -> None:
        with hub.follow(_job(job)) as follower:
            assert await _next(follower) == [("job", "queued")]
            assert not failures

    _run(story)


def test_it_looks_itself_while_postgres_cannot_tell(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    while listener._thread is not None:  # of the test before
        time.sleep(0.05)
    monkeypatch.setattr(listener, "ensure", lambda: None)
    monkeypatch.setattr(reading, "AGAIN_S", 0.1)
    job, hub = make_job(State.QUEUED), Hub()

    async def story() -> None:
        with hub.follow(_job(job)) as follower:
            await _next(follower)
            await _change(job.pk, state=State.RUNNING)
            assert await _next(follower) == [("job", "running")]

    _run(story)


def test_lists_are_loaded_anew_when_too_many_jobs_change(
    make_job: MakeJob, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_IN_LISTS", 5)
    for _ in range(10):
        make_job(State.QUEUED)
    hub = Hub()

    async def story() -> None:
        with hub.follow(Following(user_id=1, owner_id=user.pk)) as a_list:
            await _until_heard()
            await _next(a_list)

            await database_sync_to_async(Job.objects.update)(state=State.RUNNING)

            assert ("reload", "") in await _next(a_list)

    _run(story)


def test_it_admits_so_many_streams_of_one_user_and_of_all(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STREAMS_PER_USER", 1)
    monkeypatch.setattr(settings, "STREAMS_PER_PROCESS", 2)
    job, hub = make_job(), Hub()

    async def story() -> None:
        with hub.follow(_job(job)):
            with pytest.raises(TooManyOfYoursError), hub.follow(_job(job)):
                pass
            others = hub.follow(Following(user_id=2, owner_id=2))
            with others, pytest.raises(TooManyStreamsError), hub.follow(Following(user_id=3, owner_id=3)):
                pass
        with hub.follow(_job(job)):
            pass

    _run(story)


def test_a_stopping_hub_sends_everybody_away(make_job: MakeJob) -> None:
    job, hub = make_job(State.SUCCEEDED), Hub()

    async def story() -> None:
        with hub.follow(Following(user_id=1, owner_id=1)) as before:
            hub.stop()
            assert (await before.take(within_s=1))[-1].kind is Kind.RECONNECT
            with hub.follow(_job(job)) as after:
                assert (await after.take(within_s=1))[-1].kind is Kind.RECONNECT

    _run(story)


def test_it_leaves_nothing_behind(make_job: MakeJob) -> None:
    job, hub = make_job(), Hub()

    async def story() -> None:
        with hub.follow(_job(job)), hub.follow(Following(user_id=1, owner_id=1)):
            await _until_heard()

    _run(story)

    assert (hub.jobs, hub.lists, hub._open.total(), hub._tasks) == ({}, {}, 0, ())
    assert listener._audiences == ()

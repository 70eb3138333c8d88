import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from celery.result import AsyncResult
from django.contrib.auth import get_user_model
from django.db import connection

from warren.delivery import listening, result_reading
from warren.delivery.listening import listener
from warren.delivery.models import Job
from warren.delivery.states import State

# the listener has a connection of its own, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> Job:
    return Job.objects.create(pk="watched", task="t", queue="cpu", state=State.RUNNING, attempt=1)


def _listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warren-listener'")
        return int(cursor.fetchone()[0])


def _succeed_after(seconds: float) -> threading.Timer:
    def succeed() -> None:
        Job.objects.update(state=State.SUCCEEDED, result='"done"')
        connection.close()

    timer = threading.Timer(seconds, succeed)
    timer.start()
    return timer


def test_it_wakes_whoever_waits_for_a_result_when_it_is_there(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_reading, "FIRST_POLL_S", 30.0)
    monkeypatch.setattr(result_reading, "LONGEST_POLL_S", 30.0)
    timer = _succeed_after(1.0)

    assert AsyncResult(job.pk).get(timeout=20, interval=30) == "done"

    timer.join()


def test_it_finds_the_result_without_being_told_when_postgres_cannot_tell(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ensure", lambda: None)
    timer = _succeed_after(0.3)

    assert AsyncResult(job.pk).get(timeout=20) == "done"

    timer.join()


def test_it_tells_of_states_and_progress_and_of_nothing_else(
    job: Job, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    with listener.watching(job.pk) as changed, listener.watching("another") as unconcerned:
        listener.ensure()
        wait_until(lambda: listener.hears)
        unconcerned.clear()
        for change in ({"progress": "{}"}, {"state": State.RETRYING}):
            changed.clear()
            Job.objects.update(**change)
            wait_until(changed.is_set)
        changed.clear()
        Job.objects.update(traceback="no news")
        Job.objects.create(pk="marker", task="t", queue="cpu", state=State.ACCEPTED)
        Job.objects.filter(pk="marker").update(state=State.QUEUED)
        time.sleep(0.3)  # nothing can be waited for: nothing comes

        assert not changed.is_set()
        assert not unconcerned.is_set()


def test_it_tells_of_the_end_alone_when_that_is_all_that_matters(
    job: Job, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    with listener.watching(job.pk, end_only=True) as ended, listener.watching(job.pk) as changed:
        listener.ensure()
        wait_until(lambda: listener.hears)
        ended.clear()
        changed.clear()
        Job.objects.update(state=State.RETRYING)
        wait_until(changed.is_set)

        assert not ended.is_set()
        Job.objects.update(state=State.FAILED)
        wait_until(ended.is_set)


def test_it_asks_once_more_and_no_oftener_when_it_will_be_told(
    job: Job, wait_until: Callable[[Callable[[], bool]], None], django_assert_max_num_queries: Any
) -> None:
    with listener.watching("another"):
        listener.ensure()
        wait_until(lambda: listener.hears)
        timer = _succeed_after(0.4)

        with django_assert_max_num_queries(2):
            assert AsyncResult(job.pk).get(timeout=20, interval=30) == "done"

    timer.join()


class Heard:
    """An audience that keeps what it hears."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, int | None, str]] = []
        self.misses = 0

    def heard(self, job_id: str, *, owner_id: int | None, state: str) -> None:
        self.jobs.append((job_id, owner_id, state))

    def missed(self) -> None:
        self.misses += 1


def test_it_tells_an_audience_of_every_job_its_owner_and_state(
    job: Job, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    owner = get_user_model().objects.create_user("ann@example.com")
    Job.objects.create(pk="of somebody", task="t", queue="cpu", owner=owner)
    audience = Heard()
    listener.attach(audience)
    try:
        listener.ensure()
        wait_until(lambda: audience.misses == 1)  # what changed before
        Job.objects.filter(pk=job.pk).update(state=State.RETRYING)
        Job.objects.filter(pk="of somebody").update(state=State.QUEUED)
        wait_until(lambda: len(audience.jobs) == 2)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'warren-listener'"
            )
        wait_until(lambda: audience.misses == 2)
    finally:
        listener.detach(audience)

    assert audience.jobs == [("watched", None, "retrying"), ("of somebody", owner.pk, "queued")]
    wait_until(lambda: _listeners() == 0)


def test_it_keeps_one_connection_for_many_and_none_for_nobody(
    job: Job, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    with listener.watching(job.pk), listener.watching(job.pk), listener.watching("another"):
        for _ in range(3):
            listener.ensure()
        wait_until(lambda: _listeners() == 1)

    wait_until(lambda: _listeners() == 0)


def test_it_keeps_the_connection_for_the_next_one(
    job: Job, wait_until: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LINGER_S", 60.0)
    with listener.watching(job.pk):
        listener.ensure()
        wait_until(lambda: listener.hears)
    first = listener._thread
    time.sleep(5 * listening.LOOK_EVERY_S)  # nothing can be waited for: nothing happens

    with listener.watching(job.pk):
        assert listener.hears
        assert listener._thread is first


def test_it_wakes_every_watcher_and_listens_again_when_the_connection_is_lost(
    job: Job, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    with listener.watching(job.pk) as changed:
        listener.ensure()
        wait_until(lambda: listener.hears)
        changed.clear()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'warren-listener'"
            )
        wait_until(changed.is_set)

        listener.ensure()
        wait_until(lambda: _listeners() == 1)

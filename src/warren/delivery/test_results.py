import contextlib
import math
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import group, shared_task
from celery.app.task import Context
from celery.exceptions import TimeLimitExceeded
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import AsyncResult, GroupResult
from django.contrib.auth import get_user_model
from django.db import DataError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from warren.delivery import endings, leases
from warren.delivery.conftest import Deliver
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


@shared_task(name="results.give", queue="cpu")
def give(value: Any) -> Any:
    return value


@shared_task(name="results.give_nan", queue="cpu")
def give_nan() -> list[Any]:
    return [math.nan, "\x00"]


@shared_task(name="results.ignored", queue="cpu", ignore_result=True)
def ignored() -> str:
    return "not kept"


@shared_task(name="results.fail", queue="cpu")
def fail() -> None:
    raise ValueError("no such file")


@shared_task(name="results.tell", queue="cpu")
def tell(request: Context, exc: Exception, _traceback: Any) -> None:
    told.append(f"{request.id}: {exc}")


@shared_task(name="results.query_badly", queue="cpu")
def query_badly(_request: Context, _exc: Exception, _traceback: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nobody_s_table")


@shared_task(name="results.save_badly", queue="cpu")
def save_badly(_request: Context, _exc: Exception, _traceback: Any) -> None:
    get_user_model()(email="x" * 1000).save()


@shared_task(name="results.save_badly_and_hide_it", queue="cpu")
def save_badly_and_hide_it(_request: Context, _exc: Exception, _traceback: Any) -> None:
    with contextlib.suppress(DataError):
        get_user_model()(email="x" * 1000).save()


@shared_task(name="results.take_an_id", queue="cpu")
def take_an_id(job_id: str) -> None:
    told.append(job_id)


told: list[str] = []


def _ask(job_id: str) -> AsyncResult[Any]:
    return AsyncResult(job_id)


@shared_task(name="results.report", queue="cpu", bind=True)
def report(self: Any) -> tuple[str, Any]:
    self.update_state(state="PROGRESS", meta={"done": 1, "of": 3})
    result = _ask(self.request.id)
    return result.state, result.info


@pytest.fixture
def job() -> Job:
    return Job.objects.create(pk=str(uuid4()), task="results.give", queue="cpu", state=State.QUEUED)


def test_it_answers_as_the_guide_says_when_a_task_succeeded(deliver: Deliver, job: Job) -> None:
    deliver(give, job.pk, {"sum": 5})

    result = _ask(job.pk)
    assert (result.id, result.state, result.status, result.result) == (job.pk, "SUCCESS", "SUCCESS", {"sum": 5})
    assert (result.ready(), result.successful(), result.failed()) == (True, True, False)
    assert result.get(timeout=1) == {"sum": 5}


def test_it_answers_pending_when_the_job_waits_or_is_unknown(job: Job) -> None:
    for result in (_ask(job.pk), _ask("unknown")):
        assert (result.state, result.result, result.ready()) == ("PENDING", None, False)


def test_it_raises_the_task_s_error_when_a_failed_job_is_asked_for(deliver: Deliver, job: Job) -> None:
    deliver(fail, job.pk)

    result = _ask(job.pk)
    assert (result.state, result.failed(), result.successful()) == ("FAILURE", True, False)
    assert "no such file" in Job.objects.get(pk=job.pk).traceback
    with pytest.raises(ValueError, match="no such file"):
        result.get(timeout=1)


def test_it_shows_progress_when_the_task_reports_some(deliver: Deliver, job: Job) -> None:
    deliver(report, job.pk)

    assert _ask(job.pk).result == ["PROGRESS", {"done": 1, "of": 3}]


def test_it_keeps_values_that_jsonb_would_refuse_when_a_task_returns_them(deliver: Deliver, job: Job) -> None:
    deliver(give_nan, job.pk)

    number, text = _ask(job.pk).get(timeout=1)
    assert math.isnan(number)
    assert text == "\x00"


def test_it_becomes_final_without_a_value_when_the_result_is_ignored(deliver: Deliver, job: Job) -> None:
    deliver(ignored, job.pk)

    job.refresh_from_db()
    assert (job.state, job.result) == (State.SUCCEEDED, "null")


def test_it_changes_nothing_when_the_job_was_cancelled_meanwhile(job: Job) -> None:
    backend = give.backend
    Job.objects.filter(pk=job.pk).update(state=State.CANCELLED, finished_at=timezone.now())

    backend.store_result(job.pk, 1, "SUCCESS")

    job.refresh_from_db()
    assert (job.state, job.result) == (State.CANCELLED, None)
    assert _ask(job.pk).state == "REVOKED"  # type: ignore[comparison-overlap]  # celery-types leaves it out


def test_it_changes_nothing_when_the_attempt_was_lost(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempt=2)
    lost = type("Request", (), {"job_attempt": 1})()

    give.backend.store_result(job.pk, "late", "SUCCESS", request=lost)

    job.refresh_from_db()
    assert (job.state, job.result) == (State.RUNNING, None)


OURS, THEIRS = uuid4(), uuid4()


@pytest.mark.parametrize(("holder", "state"), [(OURS, State.FAILED), (THEIRS, State.RUNNING)])
def test_it_fails_only_what_this_process_holds_when_its_main_part_speaks(
    job: Job, monkeypatch: pytest.MonkeyPatch, holder: UUID, state: State
) -> None:
    monkeypatch.setattr(leases, "current", OURS)
    _run_for(901, job, lease=holder)

    _exceed(900, job)

    job.refresh_from_db()
    assert job.state == state


def test_it_fails_no_job_whose_body_has_not_had_its_time(job: Job) -> None:
    _run_for(1, job, lease=None)

    _exceed(900, job)

    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_it_sends_a_job_again_when_its_time_was_over_before_its_claim(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, message="{}")
    OutboxMessage.objects.all().delete()

    _exceed(900, job)

    job.refresh_from_db()
    assert job.state == State.ACCEPTED
    assert OutboxMessage.objects.filter(job=job).exists()


def _run_for(seconds: float, job: Job, *, lease: UUID | None) -> None:
    started = timezone.now() - timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempt=2, worker="here", lease=lease, started_at=started)


def _exceed(limit_s: float, job: Job) -> None:
    give.backend.mark_as_failure(
        job.pk, TimeLimitExceeded(limit_s), request=Context({"id": job.pk, "hostname": "here"})
    )


def test_it_fails_the_job_with_the_sizes_when_a_result_is_too_large(
    deliver: Deliver, job: Job, settings: Settings
) -> None:
    settings.RESULT_MAX_BYTES = 100

    deliver(give, job.pk, "x" * 200)

    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "202 bytes" in str(job.result)
    assert "RESULT_MAX_BYTES allows 100" in str(job.result)


def test_it_marks_a_job_expired_when_the_worker_found_its_message_too_old(job: Job) -> None:
    give.backend.mark_as_revoked(job.pk, "expired")

    job.refresh_from_db()
    assert job.state == State.EXPIRED


@pytest.mark.parametrize("spoiling", [query_badly, save_badly, save_badly_and_hide_it], ids=lambda task: task.name)
def test_it_ends_the_job_and_calls_the_others_when_an_errback_fails_in_postgres(
    spoiling: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told.clear()
    errbacks = [spoiling.s(), tell.s(), take_an_id.s()]
    job = Job.objects.get(pk=give.apply_async((1,), link_error=errbacks).id)

    with transaction.atomic():
        assert endings.end(job, state=State.EXPIRED, error=RuntimeError("too late"))

    job.refresh_from_db()
    assert job.state == State.EXPIRED
    assert told == [f"{job.pk}: too late"]
    assert Job.objects.get(task=take_an_id.name).args == [job.pk]
    assert f"errback {spoiling.name} of job {job.pk} failed" in caplog.text


def test_it_gives_up_waiting_when_the_timeout_passes(job: Job) -> None:
    started = time.monotonic()

    with pytest.raises(CeleryTimeoutError, match=job.pk):
        _ask(job.pk).get(timeout=0.1)

    assert time.monotonic() - started < 5


def test_it_forgets_final_jobs_only_when_told_to_forget(deliver: Deliver, job: Job) -> None:
    _ask(job.pk).forget()
    assert Job.objects.filter(pk=job.pk).exists()

    deliver(give, job.pk, 1)
    _ask(job.pk).forget()

    assert not Job.objects.filter(pk=job.pk).exists()


def test_it_deletes_what_is_older_than_the_retention_when_it_cleans_up(settings: Settings, job: Job) -> None:
    settings.JOB_RETENTION_DAYS = 3
    long_ago = timezone.now() - timedelta(days=4)
    Job.objects.filter(pk=job.pk).update(created_at=long_ago)
    for name, finished_at in (("old", long_ago), ("young", timezone.now())):
        Job.objects.create(pk=name, task="t", queue="cpu", state=State.SUCCEEDED, finished_at=finished_at)

    give.backend.cleanup()

    assert set(Job.objects.values_list("pk", flat=True)) == {job.pk, "young"}


def test_it_restores_a_group_when_it_was_saved() -> None:
    result: Any = group(give.s(1), give.s(2)).apply_async()  # celery-types says AsyncResult
    result.save()

    restored = GroupResult.restore(result.id)

    assert [each.id for each in restored.results or ()] == [each.id for each in result.results]
    result.delete()
    assert GroupResult.restore(result.id) is None


def test_it_makes_no_job_when_a_task_is_applied_eagerly() -> None:
    assert give.apply(("value",)).get() == "value"
    with pytest.raises(ValueError, match="no such file"):
        fail.apply().get()

    assert not Job.objects.exists()

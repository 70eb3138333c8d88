import pytest

from warren.delivery import history
from warren.delivery.models import Job, JobEvent
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


def _job(job_id: str, **fields: object) -> Job:
    return Job.objects.create(id=job_id, task="some.task", queue="cpu", **fields)


def test_it_keeps_how_each_job_stands_with_the_event() -> None:
    _job("a", state=State.FAILED, attempt=3, worker="w1", result='{"exc_type": "E"}', traceback="at line 5")
    _job("b", state=State.RUNNING, attempt=1)
    _job("other")

    history.record(["a", "b", "unknown"], kind=history.LOST, by=history.Actor(label="somebody"), reason="why")
    Job.objects.update(result=None, traceback="")

    first, second = JobEvent.objects.order_by("id")
    assert (first.job_id, first.kind, first.actor_label, first.reason) == ("a", "lost", "somebody", "why")
    assert (first.state, first.attempt, first.worker) == ("failed", 3, "w1")
    assert (first.result, first.traceback) == ('{"exc_type": "E"}', "at line 5")
    assert (second.job_id, second.state, second.attempt, second.result) == ("b", "running", 1, None)


def test_it_takes_a_reason_that_postgres_would_not() -> None:
    _job("a")

    history.record(["a"], kind=history.RETRIED, reason="no\x00w")

    assert JobEvent.objects.get().reason == "now"


def test_it_goes_with_its_job() -> None:
    job = _job("a")
    history.record(["a"], kind=history.DEAD)

    job.delete()

    assert not JobEvent.objects.exists()

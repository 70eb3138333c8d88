"""Retrying, cancelling and cloning one job."""

import json
from typing import Any

import pytest
from celery import shared_task
from django.test import Client
from pytest_django import Settings

from warren.dashboard.conftest import text
from warren.delivery import admission, on_final
from warren.delivery.models import Job, JobEvent, OutboxMessage
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

ADD = "arithmetic.add"
MESSAGE = '{"exchange": "", "routing_key": "cpu", "headers": {"retries": 0}, "properties": {}, "embed": {}}'


@shared_task(name="dashboard.internal", queue="io")
def internal(number: int) -> int:
    """Declares no arguments, so nobody may call it from outside."""
    return number


@shared_task(name="dashboard.losable", queue="io", durable=False)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def losable() -> None:
    """Is stored nowhere."""


def test_a_retry_is_done_told_of_and_recorded(member: Client, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.FAILED, message=MESSAGE)

    answer = member.post(f"/jobs/{job.pk}/retry/", {"reason": "mended"}, follow=True)

    job.refresh_from_db()
    event = JobEvent.objects.get()
    assert (job.state, OutboxMessage.objects.count()) == (State.ACCEPTED, 1)
    assert (event.kind, event.actor, event.reason) == ("retried", user, "mended")
    assert "1 job put back into its queue" in answer.content.decode()
    assert "mended" in text(member, f"/jobs/{job.pk}/")


def test_a_cancel_is_done_told_of_and_recorded(member: Client, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.RUNNING)

    answer = member.post(f"/jobs/{job.pk}/cancel/", {"reason": "too long"}, follow=True)

    job.refresh_from_db()
    event = JobEvent.objects.get()
    assert (job.state, event.kind, event.actor, event.reason) == ("cancelled", "cancelled", user, "too long")
    assert "1 job cancelled" in answer.content.decode()


@pytest.mark.parametrize(
    ("state", "verb"), [(State.SUCCEEDED, "retry"), (State.RUNNING, "retry"), (State.FAILED, "cancel")]
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    member: Client, make_job: MakeJob, state: State, verb: str
) -> None:
    job = make_job(state, message=MESSAGE)

    page = member.post(f"/jobs/{job.pk}/{verb}/", follow=True).content.decode()

    job.refresh_from_db()
    assert job.state == state
    assert "1 job left as before" in page


@pytest.mark.parametrize("verb", ["retry", "cancel", "clone"])
def test_a_strangers_job_is_not_there(member: Client, make_job: MakeJob, stranger: Any, verb: str) -> None:
    job = make_job(State.FAILED, owner=stranger, message=MESSAGE, task=ADD)

    answers = [member.get(f"/jobs/{job.pk}/").status_code, member.post(f"/jobs/{job.pk}/{verb}/").status_code]

    assert answers == [404, 404]
    assert not JobEvent.objects.exists()


def test_the_staff_steer_any_job(staff_member: Client, make_job: MakeJob, staff: Any) -> None:
    job = make_job(State.FAILED, message=MESSAGE)

    staff_member.post(f"/jobs/{job.pk}/retry/")

    assert JobEvent.objects.get().actor == staff


@pytest.mark.parametrize("path", ["explode", "clone/x"])
def test_there_is_no_other_step(member: Client, make_job: MakeJob, path: str) -> None:
    assert member.post(f"/jobs/{make_job().pk}/{path}/").status_code == 404


def test_a_step_is_no_link(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.FAILED, message=MESSAGE)

    assert [member.get(f"/jobs/{job.pk}/{verb}/").status_code for verb in ("retry", "cancel", "clone")] == [405] * 3


def test_a_step_needs_the_pages_own_token(user: Any, make_job: MakeJob) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(f"/jobs/{make_job().pk}/cancel/").status_code == 403


def test_a_clone_is_a_job_of_ones_own_and_recorded(member: Client, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.FAILED, task=ADD, arguments='[[], {"num1": 1, "num2": 2}]')

    answer = member.post(f"/jobs/{job.pk}/clone/")

    new = Job.objects.exclude(pk=job.pk).get()
    event = JobEvent.objects.get()
    assert answer.headers["Location"] == f"/jobs/{new.pk}/"
    assert (new.task, new.args, new.kwargs, new.owner, new.state) == (ADD, [], {"num1": 1, "num2": 2}, user, "accepted")
    assert (event.job, event.kind, event.actor, event.reason) == (job, "cloned", user, f"as job {new.pk}")


def test_a_clone_says_that_it_calls_nobody(member: Client, make_job: MakeJob) -> None:
    message = json.loads(MESSAGE)
    wanted = {"task": "webhooks.deliver", "value": {"url": "https://example.com/hook"}}
    arguments = "[[1, 2], {}]"
    silent = make_job(State.FAILED, task=ADD, arguments=arguments, message=MESSAGE)
    message["headers"][on_final.HEADER] = wanted
    telling = make_job(State.FAILED, task=ADD, arguments=arguments, message=json.dumps(message))

    pages = [member.post(f"/jobs/{job.pk}/clone/", follow=True).content.decode() for job in (silent, telling)]

    assert ["nobody is called at its end" in page for page in pages] == [False, True]
    assert not [new for new in Job.objects.filter(state=State.ACCEPTED) if on_final.HEADER in new.envelope.headers]


@pytest.mark.parametrize("task", ["dashboard.internal", "webhooks.deliver", "dashboard.losable", "no.such.task"])
def test_what_nobody_may_call_or_would_be_no_job_cannot_be_cloned(
    staff_member: Client, make_job: MakeJob, task: str
) -> None:
    job = make_job(State.FAILED, task=task, message=MESSAGE)

    assert staff_member.post(f"/jobs/{job.pk}/clone/").status_code == 404
    assert "Clone" not in text(staff_member, f"/jobs/{job.pk}/")
    assert Job.objects.count() == 1


def test_a_clone_that_is_refused_says_why_and_leaves_no_trace(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.FAILED, task=ADD, arguments='[["one"], {}]')

    page = member.post(f"/jobs/{job.pk}/clone/", follow=True).content.decode()

    assert "It was not submitted" in page
    assert "num1" in page
    assert not JobEvent.objects.exists()


def test_a_full_queue_refuses_a_clone(member: Client, make_job: MakeJob, settings: Settings) -> None:
    settings.WAITING_LIMITS = {"cpu": 1}
    admission.forget()
    make_job()
    job = make_job(State.FAILED, task=ADD, arguments="[[1, 2], {}]")

    page = member.post(f"/jobs/{job.pk}/clone/", follow=True).content.decode()
    admission.forget()

    assert "has no room" in page

"""Jobs of a few days of May, and a way to make a report of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from apps.reports.models import Report
from apps.reports.tasks import make_report
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

START = datetime(2026, 5, 1, tzinfo=UTC)
END = datetime(2026, 5, 8, tzinfo=UTC)

type MakeReport = Callable[..., Report]


def make_job(owner: Any, *, job_id: str, at: datetime, state: State = State.SUCCEEDED, task: str = "some.task") -> Job:
    finished = {"finished_at": at + timedelta(seconds=3)} if state == State.SUCCEEDED else {}
    started = {"started_at": at + timedelta(seconds=1)} if state == State.SUCCEEDED else {}
    return Job.objects.create(
        pk=job_id, task=task, queue="cpu", owner=owner, state=state, attempt=1, created_at=at, **started, **finished
    )


@pytest.fixture
def jobs(user: Any, stranger: Any) -> list[Job]:
    """Three of `user`, in order; one of somebody else and two at the edges of the range."""
    make_job(stranger, job_id="not mine", at=START)
    make_job(user, job_id="before", at=START - timedelta(microseconds=1))
    make_job(user, job_id="after", at=END)
    return [
        make_job(user, job_id="first", at=START),
        make_job(user, job_id="second", at=START + timedelta(days=2), state=State.QUEUED),
        make_job(user, job_id="third", at=END - timedelta(seconds=1)),
    ]


@pytest.fixture
def report_of(user: Any) -> MakeReport:
    """Make a report of `user`'s jobs, as the task does."""

    def make(kind: str = "csv", *, job_id: str = "the-report", owner: Any = user) -> Report:
        with owned_by(owner.pk):
            make_report.apply(kwargs={"kind": kind, "start": START, "end": END}, task_id=job_id, throw=True)
        return Report.objects.get(pk=job_id)

    return make


def path_of(report: Report) -> Path:
    return Path(default_storage.path(str(report.file.name)))

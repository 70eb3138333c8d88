"""Tidying up runs with the workers' own rights, of which sessions and tokens are no part."""

import pytest

from tests.stack import django_code, waiting
from tests.stack.stack import Stack

TASKS = (
    "celery.backend_cleanup",
    "warren.maintenance.delete_expired_sessions",
    "warren.maintenance.delete_expired_cache_rows",
    "warren.maintenance.delete_spooled_uploads",
    "accounts.delete_expired_tokens",
    "images.tidy_pictures",
    "reports.tidy_reports",
    "reminders.tidy_reminders",
)
_RUN = "from celery import current_app\nanswer = current_app.tasks[{task!r}].delay().id"
_STATE = """
from warren.delivery.models import Job
answer = Job.objects.values_list("state", "result").get(pk={job_id!r})
"""


@pytest.mark.parametrize("task", TASKS)
def test_it_succeeds(stack: Stack, task: str) -> None:
    job_id = django_code.run(stack, _RUN.format(task=task))

    def look() -> list[str] | None:
        state, result = django_code.run(stack, _STATE.format(job_id=job_id))
        return [state, result] if state in ("succeeded", "failed", "dead") else None

    state, result = waiting.until(look, within_s=60, what=f"{task} has ended")
    assert state == "succeeded", result

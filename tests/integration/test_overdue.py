"""A task that computes for ever where the pool cannot end it: it fails as any over its time, and takes nobody along."""

import pytest

from tests.stack import django_code
from tests.stack.api import Api
from tests.stack.stack import Stack

LIMIT_S = 12
# the limit, as long again, and the worker's next start, on a busy machine
ENDS_WITHIN_S = 120

# Those that only wait begin first, and with the block are over their time before the loop is. What waits for the loop
# learns of its end from the process that is left.
_SUBMIT = """
from celery import chord, current_app
tasks = current_app.tasks
innocent = [tasks["probe.io.sleep"].delay(6).id for _ in range(6)]
loop = tasks["probe.io.spin"].si(600).set(countdown=2)
body = chord([tasks["probe.io.noop"].si(), loop])(tasks["probe.io.total"].s())
answer = [body.parent[1].id, body.id, innocent]
"""


@pytest.mark.settings(TASK_TIME_LIMIT_S=str(LIMIT_S), TASK_SOFT_TIME_LIMIT_S=str(LIMIT_S - 1))
def test_an_endless_loop_among_greenlets_fails_at_its_first_attempt_and_the_innocent_succeed(
    stack: Stack, admin: Api
) -> None:
    loop, body, innocent = django_code.run(stack, _SUBMIT)

    culprit, after = (admin.wait(job_id, within_s=ENDS_WITHIN_S) for job_id in (loop, body))
    assert (culprit["state"], culprit["attempt"], culprit["error"]["type"]) == ("failed", 1, "TimeLimitExceeded")
    assert (after["state"], after["error"]["type"]) == ("failed", "ChordError")
    ends = [admin.wait(job_id, within_s=ENDS_WITHIN_S) for job_id in innocent]
    assert {job["state"] for job in ends} == {"succeeded"}, ends
    assert 2 in {job["attempt"] for job in ends}, "none ran beside the loop, so nothing was tried"

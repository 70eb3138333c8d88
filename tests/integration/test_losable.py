"""`durable=False`: sent by web itself, with its few rights at the broker, and stored nowhere."""

from uuid import uuid4

from tests.stack import django_code, postgres, waiting
from tests.stack.stack import Stack

_SEND = """
import time
from celery import current_app
started = time.monotonic()
try:
    answer = current_app.tasks["probe.io.losable_effect"].delay({message!r}).id
except Exception as exc:
    answer = [type(exc).__name__, time.monotonic() - started]
"""


def test_a_task_that_may_be_lost_runs_without_a_job(stack: Stack) -> None:
    message = uuid4().hex

    job_id = django_code.run(stack, _SEND.format(message=message))

    waiting.until(
        lambda: postgres.number(stack, "SELECT count(*) FROM auth_group WHERE name = :'name'", name=message) == 1,
        within_s=30,
        what="its effect is there",
    )
    assert postgres.number(stack, "SELECT count(*) FROM warren_job WHERE id = :'id'", id=job_id) == 0


def test_it_says_so_within_seconds_when_the_broker_is_away(stack: Stack) -> None:
    with stack.stopped("rabbitmq"):
        name, seconds = django_code.run(stack, _SEND.format(message=uuid4().hex))

    assert (name, seconds < 10) == ("BrokerUnreachableError", True), seconds

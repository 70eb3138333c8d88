"""What happens to messages in the broker while nobody takes them: priority, expiry, and giving up on poison."""

from datetime import datetime

from tests.integration import rabbitmq, waiting, workers
from tests.integration.api import Api
from tests.integration.stack import Stack

URGENT, LATER = 9, 0

# What a worker that dies with the message in its hands does: takes it, and is gone without an answer.
_DIE_HOLDING_IT = """
import sys
import django; django.setup()
import warren.config.celery
from celery import current_app
for _ in range(int(sys.argv[1])):
    with current_app.connection_for_write() as connection:
        message = connection.channel().basic_get("cpu")
    print(message.headers["id"] if message else None)
"""
_PEEK = """
import os, sys, httpx
answer = httpx.post(
    "http://rabbitmq:15672/api/queues/warren/dead/get",
    auth=("admin", os.environ["PASSWORD"]),
    json={"count": 100, "ackmode": "ack_requeue_true", "encoding": "auto"},
    timeout=20,
)
answer.raise_for_status()
print(*(each["properties"]["headers"]["id"] for each in answer.json()))
"""
DELIVERY_LIMIT = 5


def test_urgent_jobs_overtake_others_that_wait(stack: Stack, member: Api) -> None:
    with workers.not_consuming(stack, worker="cpu"):
        later = [member.submit("probe.cpu.sleep", kwargs={"seconds": 0.05}, priority=LATER) for _ in range(30)]
        urgent = [member.submit("probe.cpu.sleep", kwargs={"seconds": 0.05}, priority=URGENT) for _ in range(5)]
        for job_id in [*later, *urgent]:
            member.wait(job_id, states=("queued",))

    started = {job_id: datetime.fromisoformat(member.wait(job_id)["started_at"]) for job_id in [*later, *urgent]}

    order = sorted(started, key=lambda job_id: started[job_id])
    # a quorum queue hands out two urgent messages for each other one
    assert set(urgent) <= set(order[:20]), [job_id in urgent for job_id in order]


def test_a_job_that_nobody_took_in_time_expires(stack: Stack, member: Api) -> None:
    with workers.not_consuming(stack, worker="cpu"):
        in_the_broker = member.submit("probe.cpu.noop", expires=1)
        member.wait(in_the_broker, states=("queued",))
        marker = member.submit("probe.io.noop", countdown=1.5)
        member.wait(marker)

    job = member.wait(in_the_broker)

    assert (job["state"], job["celery_state"], job["started_at"]) == ("expired", "REVOKED", None)


def test_a_job_that_cannot_reach_the_broker_in_time_expires(stack: Stack, member: Api) -> None:
    with stack.stopped("relay"):
        job_id = member.submit("probe.cpu.noop", expires=0.5)

    assert member.wait(job_id)["state"] == "expired"


def test_a_message_whose_workers_die_again_and_again_is_set_aside(stack: Stack, member: Api) -> None:
    with workers.not_consuming(stack, worker="cpu"):
        job_id = member.submit("probe.cpu.noop")
        member.wait(job_id, states=("queued",))
        takes = stack.execute("worker-cpu", "python", "-c", _DIE_HOLDING_IT, str(DELIVERY_LIMIT + 1)).split()
        assert takes == [job_id] * (DELIVERY_LIMIT + 1)
        waiting.until(lambda: job_id in _dead(stack), within_s=20, what=f"{job_id} is in the queue dead")
        waiting.until(
            lambda: rabbitmq.messages(stack, "cpu") == 0, within_s=20, what=f"{job_id} has left the queue cpu"
        )


def _dead(stack: Stack) -> list[str]:
    password = stack.values["RABBITMQ_ADMIN_PASSWORD"]
    return stack.execute("web", "python", "-c", _PEEK, env={"PASSWORD": password}).split()

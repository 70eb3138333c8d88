"""What happens to messages in the broker while nobody takes them: priority, expiry, and giving up on poison."""

from datetime import datetime

from tests.integration import workers
from tests.stack import rabbitmq, waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

URGENT, LATER = 9, 0
LOSS_LIMIT = 5


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


def test_a_job_that_kills_its_worker_each_time_ends_dead(stack: Stack, member: Api) -> None:
    job_id = member.submit("probe.cpu.die")

    job = member.wait(job_id, states=("dead",), within_s=120)

    assert job["celery_state"] == "FAILURE"
    assert job["attempt"] == LOSS_LIMIT
    assert "given up after 5 losses" in job["error"]["message"]
    waiting.until(lambda: rabbitmq.messages(stack, "dead") == 0, within_s=20, what="the queue dead is empty")


def test_a_transactional_job_whose_worker_died_before_the_commit_has_its_effect_once(member: Api) -> None:
    job_id = member.submit("probe.cpu.effect_then_die_once", kwargs={"message": "an effect"})

    job = member.wait(job_id, within_s=60)

    assert (job["state"], job["attempt"], job["result"]) == ("succeeded", 2, "an effect")

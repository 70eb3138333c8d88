"""RabbitMQ loses its volume while the stack runs, and nobody comes by: no job is lost."""

import re

from tests.stack import api, rabbitmq, waiting
from tests.stack.stack import WORKERS, Stack

JOBS = 50
RECOVERED_WITHIN_S = 60


def test_every_job_succeeds_when_the_broker_s_volume_is_wiped(stack: Stack) -> None:
    somebody = api.register(stack.web_url)

    def submit(said: str) -> list[str]:
        return [somebody.submit(f"probe.{queue}.echo", args=[said]) for queue in ("cpu", "io") for _ in range(JOBS)]

    with stack.stopped(*WORKERS):
        given = submit("given to the broker")
        for job_id in given:
            somebody.wait(job_id, states=("queued",))
        waiting.until(lambda: rabbitmq.messages(stack, "cpu") == JOBS, within_s=20, what="the broker has them all")
        rabbitmq.wipe(stack)
        given += submit("submitted while it was away")
        stack.up("rabbitmq")

    waiting.until(
        lambda: all(somebody.job(job_id)["state"] == "succeeded" for job_id in given),
        within_s=RECOVERED_WITHIN_S,
        what=f"all {len(given)} jobs succeeded",
    )
    sent_again = re.findall(r"(\d+) jobs are sent again", stack.logs("relay"))
    assert max(map(int, sent_again)) >= 2 * JOBS, "they came back, but not because the wipe was seen"

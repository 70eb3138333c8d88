"""How many messages the prefork worker holds: many while jobs are short, few as soon as they are not."""

from tests.integration import batches
from tests.stack import rabbitmq, waiting
from tests.stack.stack import Stack

NARROW = 8  # two children, WORKER_CPU_PREFETCH=4
# the broker counts every five seconds: the short ones must last longer on a fast machine
SHORT, LONG = 12_000, 40


def test_it_fetches_far_ahead_while_jobs_are_short_and_gives_back_when_they_are_not(stack: Stack) -> None:
    short = batches.submit(stack, "probe.cpu.noop", count=SHORT)
    waiting.until(lambda: rabbitmq.held(stack, "cpu") > 4 * NARROW, within_s=60, what="the window is wide")

    long = batches.submit(stack, "probe.cpu.sleep", count=LONG, seconds=0.7)
    batches.wait(stack, short, count=SHORT, state="succeeded")
    waiting.until(
        lambda: rabbitmq.held(stack, "cpu") <= NARROW < rabbitmq.messages(stack, "cpu"),
        within_s=10,
        what="what cannot run soon is back in the queue",
    )

    batches.wait(stack, long, count=LONG, state="succeeded")
    assert batches.most_at_once(stack, long) == 2

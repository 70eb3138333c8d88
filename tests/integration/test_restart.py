"""`docker compose down` and up again: users, jobs and results are still there."""

from tests.stack import api
from tests.stack.api import PASSWORD, Api
from tests.stack.stack import Stack


def test_everything_is_kept_when_the_stack_is_taken_down_and_up(stack: Stack) -> None:
    somebody = api.register(stack.web_url)
    done = somebody.submit("probe.cpu.echo", args=["kept"])
    somebody.wait(done)
    delayed = somebody.submit("probe.io.echo", args=["kept too"], countdown=5)
    with stack.stopped("worker-cpu"):
        queued = somebody.submit("probe.cpu.echo", args=["in the broker"])
        somebody.wait(queued, states=("queued",))
        before = somebody.job(done)
        stack.compose("down")
        stack.start()

    assert somebody.job(done) == before
    assert api.log_in(stack.web_url, email=somebody.email, password=PASSWORD).token == somebody.token
    assert Api(stack.web_url, somebody.token).wait(queued)["result"] == "in the broker"
    assert somebody.wait(delayed)["result"] == "kept too"

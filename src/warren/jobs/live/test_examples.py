"""docs/examples/follow.py, run as its readers run it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.jobs.live.conftest import Server, token_of

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLE = Path(__file__).parents[4] / "docs/examples/follow.py"

Start = Callable[..., subprocess.Popen[str]]


def _start(server: Server, user: Any, job_id: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(EXAMPLE), server.url, token_of(user), job_id, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  our own


@pytest.mark.parametrize("options", [(), ("--websocket",)])
def test_it_prints_each_state_until_the_job_has_ended(
    server: Server, make_job: MakeJob, user: Any, options: tuple[str, ...]
) -> None:
    job = make_job(State.QUEUED)

    with _start(server, user, job.pk, *options) as example:
        assert example.stdout
        assert example.stdout.readline() == "queued\n"
        Job.objects.update(state=State.RUNNING, progress='{"state": "PROGRESS", "meta": {"done": 1}}')
        assert example.stdout.readline() == "running {'done': 1}\n"
        Job.objects.update(state=State.SUCCEEDED, finished_at=job.created_at)
        rest, errors = example.communicate(timeout=20)

    assert (rest.split()[0], errors, example.returncode) == ("succeeded", "", 0)


@pytest.mark.parametrize("options", [(), ("--websocket",)])
@pytest.mark.parametrize("job_id", ["orders/42", "100%~1", ".."])
def test_it_follows_a_job_that_a_foreign_producer_named(
    server: Server, make_job: MakeJob, user: Any, job_id: str, options: tuple[str, ...]
) -> None:
    make_job(State.SUCCEEDED, id=job_id)

    with _start(server, user, job_id, *options) as example:
        said, errors = example.communicate(timeout=20)

    assert (said, errors, example.returncode) == ("succeeded\n", "", 0)


@pytest.mark.parametrize("options", [(), ("--websocket",)])
def test_it_comes_again_when_the_server_restarts(
    run_server: Callable[..., Server], make_job: MakeJob, user: Any, options: tuple[str, ...]
) -> None:
    job, server = make_job(State.QUEUED), run_server()

    with _start(server, user, job.pk, *options) as example:
        assert example.stdout
        assert example.stdout.readline() == "queued\n"
        server.stop()
        Job.objects.update(state=State.SUCCEEDED, finished_at=job.created_at)
        run_server(server.port)
        rest, errors = example.communicate(timeout=60)

    assert (rest.split(), errors, example.returncode) == (["succeeded"], "", 0)


@pytest.mark.parametrize(("options", "reason"), [((), "404"), (("--websocket",), "no such job")])
def test_it_gives_up_on_what_will_not_get_better(
    server: Server, make_job: MakeJob, stranger: Any, options: tuple[str, ...], reason: str
) -> None:
    with _start(server, stranger, make_job().pk, *options) as example:
        _, errors = example.communicate(timeout=20)

    assert example.returncode == 1
    assert reason in errors

"""`manage.py jobs tail`: each state that a job comes to, once, whatever happens meanwhile."""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from warren.delivery import direct
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import following
from warren.jobs.changed_rows import Which
from warren.jobs.conftest import MakeJob
from warren.jobs.following import Follower, PostgresAwayError

# the follower has a connection of its own, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)

ERROR = '{"exc_type": "ValueError", "exc_message": ["no luck"], "exc_module": "builtins"}'
WITHIN_S = 15

type Follow = Callable[..., Follower]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Makes followers that have looked once, and so know where to begin."""
    made: list[Follower] = []

    def start(**which: Any) -> Follower:
        made.append(Follower(Which(**which)))
        made[-1].changes()
        return made[-1]

    yield start
    for follower in made:
        follower.close()


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postgres tells of nothing."""
    monkeypatch.setattr(following, "_hear", lambda _connection: {})


def _states(follower: Follower) -> list[tuple[str, str]]:
    return [(change.row["id"], change.state.value) for change in follower.changes()]


def _soon(follower: Follower, expected: list[tuple[str, str]]) -> None:
    """Looks until as much has come."""
    deadline, seen = time.monotonic() + WITHIN_S, list[tuple[str, str]]()
    while len(seen) < len(expected) and time.monotonic() < deadline:
        with suppress(PostgresAwayError):
            seen += _states(follower)
    assert seen == expected


def _set(job: Job, state: State, **fields: Any) -> None:
    finished_at = timezone.now() if state in ("succeeded", "failed") else None
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=finished_at, **fields)


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("jobs", "tail", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("deaf")
def test_it_finds_new_jobs_and_each_change_without_being_told(follow: Follow, make_job: MakeJob) -> None:
    follower = follow()

    job = make_job(id="new")
    assert _states(follower) == [("new", "accepted")]
    for state in (State.QUEUED, State.RUNNING, State.SUCCEEDED):
        _set(job, state)
        assert _states(follower) == [("new", state)]
    assert _states(follower) == []


def test_it_tells_of_every_state_that_it_was_told_of(follow: Follow, make_job: MakeJob) -> None:
    job = make_job(id="quick")
    follower = follow()

    for state in (State.QUEUED, State.RUNNING, State.SUCCEEDED):
        _set(job, state)

    _soon(follower, [("quick", "queued"), ("quick", "running"), ("quick", "succeeded")])
    assert _states(follower) == []


def test_a_final_state_is_not_lost_to_a_retry_that_follows_at_once(follow: Follow, make_job: MakeJob) -> None:
    job = make_job(State.RUNNING, id="retried")
    follower = follow()

    _set(job, State.FAILED)
    _set(job, State.ACCEPTED)

    _soon(follower, [("retried", "failed"), ("retried", "accepted")])


def test_progress_is_no_state(follow: Follow, make_job: MakeJob) -> None:
    make_job(State.RUNNING, id="busy", attempt=1)
    follower = follow()

    Job.objects.update(progress="{}")
    assert _states(follower) == []
    Job.objects.update(attempt=2)  # lost, and taken by another worker between two looks
    assert _states(follower) == [("busy", "running")]


@pytest.mark.usefixtures("deaf")
def test_it_finds_what_a_long_transaction_wrote_when_that_commits(follow: Follow, make_job: MakeJob) -> None:
    make_job(State.QUEUED, id="slow", created_at=timezone.now() - timedelta(hours=1))
    with direct.connect("long") as long, long.transaction():
        long.execute("UPDATE warren_job SET state = 'running', started_at = now() WHERE id = 'slow'")
        follower = follow()
        assert _states(follower) == []
    assert _states(follower) == [("slow", "running")]


@pytest.mark.usefixtures("deaf")
def test_it_tells_once_of_what_ends_beside_a_long_transaction(follow: Follow, make_job: MakeJob) -> None:
    job = make_job(State.RUNNING, id="beside")
    with direct.connect("long") as long, long.transaction():
        long.execute("SELECT pg_current_xact_id()")
        follower = follow()
        _set(job, State.SUCCEEDED)

        assert _states(follower) == [("beside", "succeeded")]
        assert _states(follower) == []


def test_it_finds_what_ended_while_the_connection_was_away(
    follow: Follow, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(State.RUNNING, id="missed")
    follower = follow()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'warren-tail'")

    with pytest.raises(PostgresAwayError):
        follower.changes()
    _set(job, State.SUCCEEDED, created_at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(following, "RECENT", timedelta(0))

    _soon(follower, [("missed", "succeeded")])


def test_it_begins_anew_with_a_postgres_that_is_a_backup(follow: Follow, make_job: MakeJob) -> None:
    follower = follow()
    follower._since = str(2**40)  # transactions that Postgres does not know of

    make_job(id="after")

    _soon(follower, [("after", "accepted")])


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"queue": "io"}, ["io"]),
        ({"task": "other.task"}, ["other"]),
        ({"ids": ("mine", "other")}, ["other", "mine"]),
        ({}, ["io", "other", "mine"]),
    ],
    ids=str,
)
def test_it_follows_only_what_is_asked_for(
    follow: Follow, make_job: MakeJob, which: dict[str, Any], expected: list[str]
) -> None:
    follower = follow(**which)

    make_job(id="io", queue="io")
    make_job(id="other", task="other.task")
    make_job(id="mine")

    _soon(follower, [(job_id, "accepted") for job_id in expected])


def test_it_ends_when_all_that_are_named_have_ended(make_job: MakeJob) -> None:
    make_job(State.FAILED, id="first", result=ERROR, attempt=3, worker="w1")
    make_job(State.SUCCEEDED, id="second", result='"not told"')

    said = _run("first", "second").splitlines()

    assert [line.split()[1:3] for line in said] == [["failed", "first"], ["succeeded", "second"]]
    assert said[0].endswith("some.task  cpu  attempt 3  ValueError: no luck")


def test_each_line_of_json_is_a_document_of_this_shape(make_job: MakeJob) -> None:
    job = make_job(State.FAILED, result=ERROR, attempt=3, worker="w1", started_at=timezone.now())

    (line,) = _run(job.pk, "--json").splitlines()

    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("at")) <= timezone.now()
    assert told.pop("started_at") < told.pop("finished_at")
    assert told.pop("created_at").endswith("Z")
    assert told == {
        "id": job.pk,
        "state": "failed",
        "task": "some.task",
        "queue": "cpu",
        "attempt": 3,
        "worker": "w1",
        "error": {"type": "ValueError", "message": "no luck"},
    }


def test_a_state_is_told_of_alone(make_job: MakeJob) -> None:
    make_job(State.FAILED, id="first")
    make_job(State.SUCCEEDED, id="second")

    assert [line.split()[2] for line in _run("first", "second", "--state", "succeeded").splitlines()] == ["second"]


def test_it_follows_the_jobs_of_one_user(make_job: MakeJob, user: Any, stranger: Any) -> None:
    make_job(State.FAILED, id="anns")
    make_job(State.FAILED, id="bobs", owner=stranger)

    with closing(Follower(Which(ids=("anns", "bobs"), owner=user.pk))) as follower:
        assert _states(follower) == [("anns", "failed")]


def test_it_names_what_is_not_there(make_job: MakeJob) -> None:
    with pytest.raises(CommandError, match="no job 'nobody'") as no_job:
        _run(make_job().pk, "nobody")
    with pytest.raises(CommandError, match=r"no user 'x@example\.com'") as no_user:
        _run("--mine", "x@example.com")

    assert (no_job.value.returncode, no_user.value.returncode) == (1, 2)

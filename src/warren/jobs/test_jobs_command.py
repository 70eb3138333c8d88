"""`manage.py jobs list|show|retry|cancel`."""

import io
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from warren.delivery import history
from warren.delivery.models import Job, JobEvent
from warren.delivery.states import State
from warren.jobs import bulk
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

ERROR = '{"exc_type": "ValueError", "exc_message": ["no luck"], "exc_module": "builtins"}'
MESSAGE = json.dumps({"exchange": "", "routing_key": "cpu", "headers": {}, "properties": {}, "embed": {}})

type Say = Callable[..., str]


@pytest.fixture
def say() -> Say:
    """Runs the command; returns what it printed."""

    def run(*arguments: str) -> str:
        out = io.StringIO()
        call_command("jobs", *arguments, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def failed(make_job: MakeJob) -> MakeJob:
    """Makes failed jobs that can be retried."""

    def make(state: State = State.FAILED, **fields: Any) -> Job:
        return make_job(state, **{"message": MESSAGE, **fields})

    return make


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Gives the command a person who answers this; returns what that person was asked."""

    def sit_down(answer: str) -> list[str]:
        asked: list[str] = []

        def ask(question: str) -> str:
            asked.append(question)
            return answer

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr("builtins.input", ask)
        return asked

    return sit_down


def _states() -> dict[str, str]:
    return dict(Job.objects.values_list("pk", "state"))


def test_it_lists_the_newest_first_in_columns(say: Say, make_job: MakeJob) -> None:
    for days in (2, 1):
        make_job(State.FAILED, id=f"job-{days}", created_at=timezone.now() - timedelta(days=days))
    make_job(State.SUCCEEDED, id="job-3")

    heading, *lines = say("list", "--state", "failed").splitlines()

    assert heading.split() == ["ID", "STATE", "TASK", "QUEUE", "ATTEMPT", "CREATED_AT"]
    assert [line.split()[:4] for line in lines] == [
        ["job-1", "failed", "some.task", "cpu"],
        ["job-2", "failed", "some.task", "cpu"],
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--since", "2h"], ["new"]),
        (["--until", "2h"], ["old"]),
        (["--task", "other.task"], ["old"]),
        (["--queue", "cpu", "--limit", "1"], ["new"]),
        (["--search", "OTHER"], ["old"]),
        (["--queue", "nothing"], []),
    ],
    ids=str,
)
def test_it_filters(say: Say, make_job: MakeJob, arguments: list[str], expected: list[str]) -> None:
    make_job(id="old", task="other.task", created_at=timezone.now() - timedelta(hours=3))
    make_job(id="new")

    assert [job["id"] for job in json.loads(say("list", "--json", *arguments))] == expected


def test_it_shows_a_job_with_its_error_and_history(say: Say, failed: MakeJob, staff: Any) -> None:
    job = failed(result=ERROR, traceback="at line 5", attempt=2, worker="w1")
    history.record([job.pk], kind=history.RETRIED, by=history.Actor(user_id=staff.pk), reason="mended")

    said = say("show", job.pk)
    told = json.loads(say("show", job.pk, "--json"))

    assert job.pk in said
    assert "error: ValueError: no luck" in said
    assert "retried by root@example.com: mended" in said
    assert "it was failed, attempt 2 on w1" in said
    assert said.count("at line 5") == 2
    assert (told["error"]["message"], told["history"][0]["by"]) == ("no luck", "root@example.com")


def test_it_says_when_there_is_no_such_job(say: Say) -> None:
    with pytest.raises(CommandError, match="no job 'nobody'") as raised:
        say("show", "nobody")

    assert raised.value.returncode == 1


def test_it_retries_by_id_without_asking(say: Say, failed: MakeJob) -> None:
    job = failed()

    said = say("retry", job.pk, "--reason", "mended")

    assert said.splitlines()[-1] == "1 retried, 0 not"
    event = JobEvent.objects.get()
    assert (event.actor, event.reason) == (None, "mended")
    assert _states() == {job.pk: State.ACCEPTED}


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_it_records_who_it_was(say: Say, failed: MakeJob, make_job: MakeJob, verb: str) -> None:
    job = failed() if verb == "retry" else make_job()

    say(verb, job.pk, "--by", " Ann Bee ")

    assert JobEvent.objects.get().actor_label == "command line (Ann Bee)"
    assert "by command line (Ann Bee)" in say("show", job.pk)


def test_it_records_whom_the_system_names_if_nobody_is(
    say: Say, failed: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.setenv("LOGNAME", "bob")
    say("retry", failed().pk)

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    say("retry", failed().pk)

    labels = JobEvent.objects.order_by("id").values_list("actor_label", flat=True)
    assert list(labels) == ["command line (bob)", f"command line (uid {os.getuid()})"]


def test_it_says_which_were_refused_and_ends_with_1(failed: MakeJob, capsys: Any) -> None:
    job, done = failed(), failed(State.SUCCEEDED)

    with pytest.raises(SystemExit) as raised:
        call_command("jobs", "retry", job.pk, done.pk)

    assert raised.value.code == 1
    said = capsys.readouterr().out
    assert f"{done.pk}: It has succeeded" in said
    assert said.splitlines()[-1] == "1 retried, 1 not"


def test_it_retries_failed_and_dead_ones_of_a_filter(say: Say, failed: MakeJob, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "MOST", 1)  # so that it takes several transactions
    failed(id="failed")
    failed(State.DEAD, id="dead")
    failed(State.CANCELLED, id="cancelled")
    failed(id="other", queue="io")

    said = json.loads(say("retry", "--queue", "cpu", "--yes", "--json"))

    assert (said["retried"], set(said["ids"]), said["refused"]) == (2, {"failed", "dead"}, [])
    assert _states() == {"failed": "accepted", "dead": "accepted", "cancelled": "cancelled", "other": "failed"}


def test_it_cancels_what_has_not_ended(say: Say, make_job: MakeJob) -> None:
    make_job(id="waiting")
    make_job(State.SUCCEEDED, id="done")

    said = say("cancel", "--task", "some.task", "--yes", "--reason", "by mistake")

    assert said.splitlines()[-1] == "1 cancelled, 0 not"
    assert _states() == {"waiting": "cancelled", "done": "succeeded"}
    assert JobEvent.objects.get().reason == "by mistake"


def test_a_dry_run_changes_nothing(say: Say, failed: MakeJob) -> None:
    job = failed()

    assert job.pk in say("retry", "--state", "failed", "--dry-run")
    assert _states() == {job.pk: "failed"}


@pytest.mark.parametrize(("answer", "state"), [("y", "accepted"), ("yes", "accepted"), ("", "failed"), ("n", "failed")])
def test_it_asks_a_person_before_it_changes_many(
    say: Say, failed: MakeJob, terminal: Callable[[str], list[str]], answer: str, state: str
) -> None:
    job = failed()
    asked = terminal(answer)

    try:
        say("retry", "--state", "failed")
    except CommandError as exc:
        assert exc.returncode == 1  # noqa: PT017  raised for two of the four answers

    assert asked == ["1 job will be retried. Go on? [y/N] "]
    assert _states() == {job.pk: state}


def test_it_needs_yes_where_nobody_can_be_asked(say: Say, failed: MakeJob, monkeypatch: Any) -> None:
    job = failed()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)

    with pytest.raises(CommandError, match="--yes") as raised:
        say("retry", "--state", "failed")

    assert raised.value.returncode == 2
    assert _states() == {job.pk: "failed"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["retry"], "Name jobs by their ids, or choose them"),
        (["retry", "an-id", "--state", "failed"], "by a filter, not by both"),
        (["retry", "--state", "running"], "invalid choice: 'running'"),
        (["cancel", "--state", "failed"], "invalid choice: 'failed'"),
        (["list", "--since", "yesterday"], "'yesterday' is neither a length of time"),
        (["list", "--since", "2026-13-01T00:00:00Z"], "is neither"),
        (["list", "--limit", "0"], "'0' is not a number of jobs"),
        (["retry", "an-id", "--by", " "], "' ' is not a name"),
        (["cancel", "an-id", "--by", "a\nb"], "is not a name"),
        (["cancel", "an-id", "--by", "x" * 101], "is not a name of 1 to 100 characters"),
        (["show"], "ID"),
        (["burn"], "invalid choice: 'burn'"),
        ([], "list|show|retry|cancel"),
    ],
    ids=str,
)
def test_it_names_what_makes_no_sense(say: Say, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError) as raised:
        say(*arguments)

    assert said in str(raised.value)


def test_nothing_to_do_is_no_fault(say: Say) -> None:
    assert say("retry", "--state", "dead").splitlines() == ["0 retried, 0 not"]

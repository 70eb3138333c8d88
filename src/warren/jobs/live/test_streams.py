"""GET /api/jobs/<id>/events/ and /api/jobs/events/, at a real gunicorn."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client

from warren.delivery.models import Job
from warren.delivery.states import FINAL, State
from warren.jobs.conftest import MakeJob
from warren.jobs.live.conftest import STREAMS_PER_USER, Follow, Server, let_token_expire, token_of

pytestmark = pytest.mark.django_db(transaction=True)


def _change(job: Job, **values: Any) -> None:
    if values.get("state") in FINAL:
        values["finished_at"] = job.created_at
    Job.objects.filter(pk=job.pk).update(**values)


def _progress(done: int) -> str:
    return json.dumps({"state": "PROGRESS", "meta": {"done": done}})


@pytest.fixture
def hearing(follow: Follow, make_job: MakeJob, staff: Any, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    """The server listens already; when it begins to, its lists are told to load themselves once more."""
    job = make_job(State.QUEUED, owner=None)
    stream = follow(f"/api/jobs/{job.pk}/events/", staff)
    assert stream.states(1) == ["queued"]
    wait_until(lambda: bool(_listeners()))
    _change(job, state=State.RUNNING)
    assert stream.states(1) == ["running"]


def test_it_sends_the_state_at_once_every_change_and_ends_after_the_final_one(
    follow: Follow, make_job: MakeJob, user: Any
) -> None:
    job = make_job(State.ACCEPTED)

    stream = follow(f"/api/jobs/{job.pk}/events/", user)

    assert stream.response.headers["content-type"] == "text/event-stream"
    assert stream.states(1) == ["accepted"]
    for state in (State.QUEUED, State.RUNNING, State.RETRYING, State.RUNNING):
        _change(job, state=state)
        assert stream.states(1) == [state]
    for done in range(3):
        _change(job, progress=_progress(done))
        assert stream.next()[1]["progress"] == {"state": "PROGRESS", "meta": {"done": done}}
    _change(job, state=State.SUCCEEDED, result='"large"')
    assert stream.states(1) == ["succeeded"]
    assert stream.rest() == ["end"]


def test_it_shows_the_job_as_the_api_does_without_what_is_large(
    follow: Follow, make_job: MakeJob, user: Any, server: Server
) -> None:
    failure = json.dumps({"exc_type": "ValueError", "exc_message": ["no\nline"], "exc_module": "builtins"})
    job = make_job(State.FAILED, result=failure, traceback="one\ntwo", arguments='[["secret"], {}]', priority=3)
    address = f"/api/jobs/{job.pk}/"

    _, shown = follow(f"{address}events/", user).next()

    answer = httpx.get(f"{server.url}{address}", headers={"Authorization": f"Token {token_of(user)}"}, trust_env=False)
    expected = {
        name: value for name, value in answer.json().items() if name not in ("args", "kwargs", "result", "history")
    }
    expected["links"] = {name: url.removeprefix(server.url) for name, url in expected["links"].items()}
    assert shown == expected
    assert shown["error"]["message"] == "no\nline"


@pytest.mark.parametrize("state", sorted(FINAL))
def test_it_ends_at_once_when_the_job_has_ended(follow: Follow, make_job: MakeJob, user: Any, state: State) -> None:
    stream = follow(f"/api/jobs/{make_job(state).pk}/events/", user)

    assert stream.states(1) == [state]
    assert stream.rest() == ["end"]


def test_it_resumes_after_the_last_event(follow: Follow, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.RUNNING)
    address = f"/api/jobs/{job.pk}/events/"
    first = follow(address, user)
    first.next()

    again = follow(address, user, **{"Last-Event-ID": first.last_id})
    _change(job, progress=_progress(1))
    assert again.next()[1]["progress"]["meta"] == {"done": 1}

    missed = follow(address, user, **{"Last-Event-ID": first.last_id})
    assert missed.next()[1]["progress"]["meta"] == {"done": 1}


def test_it_tells_a_browser_that_has_seen_the_end_not_to_come_again(
    follow: Follow, make_job: MakeJob, user: Any
) -> None:
    address = f"/api/jobs/{make_job(State.SUCCEEDED).pk}/events/"
    first = follow(address, user)
    first.rest()

    assert follow(address, user, **{"Last-Event-ID": first.last_id}).response.status_code == 204
    assert follow(address, user, **{"Last-Event-ID": "another"}).states(1) == ["succeeded"]


def test_it_ends_when_the_job_is_deleted(follow: Follow, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.RUNNING)
    stream = follow(f"/api/jobs/{job.pk}/events/", user)
    stream.next()

    # nobody tells of it: found when all rows are read again
    Job.objects.filter(pk=job.pk).update(progress=_progress(1))
    stream.next()
    job.delete()
    _cut_listener()

    assert stream.rest() == ["end"]


def test_it_serves_whoever_is_logged_in(follow: Follow, make_job: MakeJob, user: Any) -> None:
    browser = Client()
    browser.force_login(user)
    cookie = browser.cookies["sessionid"].value

    assert follow(f"/api/jobs/{make_job().pk}/events/", Cookie=f"sessionid={cookie}").states(1) == ["accepted"]


def test_it_refuses_a_token_that_is_over(follow: Follow, make_job: MakeJob, user: Any) -> None:
    let_token_expire(user)

    for address in (f"/api/jobs/{make_job().pk}/events/", "/api/jobs/events/"):
        assert follow(address, user).response.status_code == 401


def test_it_shows_jobs_to_their_owner_and_to_staff_only(
    follow: Follow, make_job: MakeJob, user: Any, stranger: Any, staff: Any
) -> None:
    address = f"/api/jobs/{make_job().pk}/events/"

    codes = [follow(address, each).response.status_code for each in (None, stranger, staff, user)]

    assert codes == [401, 404, 200, 200]
    assert follow("/api/jobs/unknown/events/", user).response.status_code == 404
    assert follow("/api/jobs/events/").response.status_code == 401


def test_it_finds_what_nobody_told_when_the_listening_connection_was_lost(
    follow: Follow, make_job: MakeJob, user: Any
) -> None:
    job = make_job(State.QUEUED)
    stream = follow(f"/api/jobs/{job.pk}/events/", user)
    stream.next()

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE warren_job DISABLE TRIGGER warren_job_changed")
    try:
        _cut_listener()
        _change(job, state=State.RUNNING)
        assert stream.states(1) == ["running"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE warren_job ENABLE TRIGGER warren_job_changed")
    _change(job, state=State.SUCCEEDED)
    assert stream.states(1) == ["succeeded"]


def test_it_follows_ones_own_jobs_by_one_stream(follow: Follow, make_job: MakeJob, user: Any, stranger: Any) -> None:
    job, others = make_job(State.QUEUED), make_job(State.QUEUED, owner=stranger)
    stream = follow("/api/jobs/events/", user)
    assert stream.next() == ("reload", {})

    _change(others, state=State.RUNNING)
    _change(job, state=State.RUNNING)
    _change(job, state=State.SUCCEEDED)

    seen = [stream.next()]
    while seen[-1][1]["state"] != "succeeded":
        seen.append(stream.next())
    assert {shown["id"] for _, shown in seen} == {job.pk}


@pytest.mark.usefixtures("hearing")
def test_a_list_shows_new_jobs_that_wait(follow: Follow, make_job: MakeJob, user: Any) -> None:
    stream = follow("/api/jobs/events/", user)
    assert stream.next() == ("reload", {})

    job = make_job(State.ACCEPTED)

    name, shown = stream.next()
    assert (name, shown["id"], shown["state"]) == ("job", job.pk, "accepted")


@pytest.mark.usefixtures("hearing")
def test_staff_may_follow_everybodys_jobs(
    follow: Follow, make_job: MakeJob, user: Any, stranger: Any, staff: Any
) -> None:
    stream = follow("/api/jobs/events/?all=true", staff)
    assert stream.next() == ("reload", {})

    made = [make_job(State.RUNNING), make_job(State.RUNNING, owner=stranger), make_job(State.RUNNING, owner=None)]
    for job in made:
        _change(job, progress=_progress(1))

    shown: set[str] = set()
    while not shown.issuperset(job.pk for job in made):
        shown.add(stream.next()[1]["id"])
    refused = follow("/api/jobs/events/?all=true", user).response
    assert refused.status_code == 403


def test_it_opens_many_streams_with_few_connections_to_postgres(follow: Follow, make_job: MakeJob, user: Any) -> None:
    """The server has two; a stream that kept one would be the last."""
    job = make_job(State.QUEUED)

    streams = [follow(f"/api/jobs/{job.pk}/events/", user) for _ in range(STREAMS_PER_USER)]

    assert {each.states(1)[0] for each in streams} == {"queued"}
    _change(job, state=State.RUNNING)
    assert {each.states(1)[0] for each in streams} == {"running"}


def test_it_refuses_too_many_streams_of_one_user(follow: Follow, make_job: MakeJob, user: Any, stranger: Any) -> None:
    address = f"/api/jobs/{make_job(State.QUEUED).pk}/events/"
    for _ in range(STREAMS_PER_USER):
        assert follow(address, user).response.status_code == 200

    refused = follow(address, user).response

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert "too many streams open" in json.loads(refused.read())["detail"]
    assert follow("/api/jobs/events/", stranger).response.status_code == 200


def test_a_closed_stream_makes_room(follow: Follow, make_job: MakeJob, user: Any) -> None:
    address = f"/api/jobs/{make_job(State.QUEUED).pk}/events/"
    for _ in range(STREAMS_PER_USER * 2):
        stream = follow(address, user)
        while stream.response.status_code == 429:  # the server hears of the end in its own time
            stream = follow(address, user)
        assert stream.states(1) == ["queued"]
        stream.response.close()


def _listeners() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = 'warren-listener' AND state = 'idle' AND query LIKE 'LISTEN%'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def _cut_listener() -> None:
    with connection.cursor() as cursor:
        for pid in _listeners():
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

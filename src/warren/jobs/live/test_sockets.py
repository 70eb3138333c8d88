"""ws/tasks/<task_id>/, at a real gunicorn."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.jobs.live.conftest import STREAMS_PER_USER, WITHIN_S, Connect, Follow, Server, let_token_expire, token_of

pytestmark = pytest.mark.django_db(transaction=True)


def _job(socket: Any) -> dict[str, Any]:
    return dict(json.loads(socket.recv(timeout=WITHIN_S)))


def _end(socket: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=WITHIN_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_it_sends_the_state_at_once_every_change_and_closes_after_the_final_one(
    connect: Connect, make_job: MakeJob, user: Any
) -> None:
    job = make_job(State.ACCEPTED)
    rows = Job.objects.filter(pk=job.pk)

    socket = connect(f"/ws/tasks/{job.pk}/", user)

    assert _job(socket)["state"] == "accepted"
    rows.update(state=State.RUNNING)
    assert _job(socket)["state"] == "running"
    rows.update(progress='{"state": "PROGRESS", "meta": {"done": 1}}')
    assert _job(socket)["progress"]["meta"] == {"done": 1}
    rows.update(state=State.SUCCEEDED, finished_at=job.created_at)
    assert _job(socket)["state"] == "succeeded"
    assert _end(socket) == (1000, "The job has ended.")


def test_it_sends_what_the_event_stream_sends(connect: Connect, follow: Follow, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.CANCELLED)

    socket = connect(f"/ws/tasks/{job.pk}/", user)

    assert _job(socket) == follow(f"/api/jobs/{job.pk}/events/", user).next()[1]
    assert _end(socket)[0] == 1000


def test_it_serves_whoever_is_logged_in(connect: Connect, make_job: MakeJob, user: Any, server: Server) -> None:
    browser = Client()
    browser.force_login(user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"

    socket = connect(f"/ws/tasks/{make_job().pk}/", origin=server.url, Cookie=cookie)

    assert _job(socket)["state"] == "accepted"


def test_it_takes_a_token_as_subprotocol_and_does_not_repeat_it(connect: Connect, make_job: MakeJob, user: Any) -> None:
    address, token = f"/ws/tasks/{make_job().pk}/", f"token.{token_of(user)}"

    socket = connect(address, offers=(token, "warren"))

    assert _job(socket)["state"] == "accepted"
    assert socket.subprotocol == "warren"
    with pytest.raises(InvalidStatus):
        connect(address, offers=("token.wrong", "warren"))


@pytest.mark.parametrize(("offers", "selected"), [((), None), (("warren",), "warren"), (("other", "more"), "other")])
def test_it_selects_one_of_the_subprotocols_that_are_offered(
    connect: Connect, make_job: MakeJob, user: Any, offers: tuple[str, ...], selected: str | None
) -> None:
    assert connect(f"/ws/tasks/{make_job().pk}/", user, offers=offers).subprotocol == selected


def test_it_refuses_whoever_has_not_logged_in(connect: Connect, make_job: MakeJob) -> None:
    for headers in ({}, {"Authorization": "Token wrong"}, {"Cookie": "sessionid=wrong"}):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"/ws/tasks/{make_job().pk}/", **headers)
        assert refused.value.response.status_code == 403


def test_it_refuses_a_token_that_is_over_however_it_comes(connect: Connect, make_job: MakeJob, user: Any) -> None:
    address = f"/ws/tasks/{make_job().pk}/"
    let_token_expire(user)

    for way in ({"user": user}, {"offers": ("warren", f"token.{token_of(user)}")}):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, **way)
        assert refused.value.response.status_code == 403


def test_it_shows_jobs_to_their_owner_and_to_staff_only(
    connect: Connect, make_job: MakeJob, stranger: Any, staff: Any
) -> None:
    address = f"/ws/tasks/{make_job().pk}/"

    assert _end(connect(address, stranger))[0] == 4404
    assert _end(connect("/ws/tasks/unknown/", staff))[0] == 4404
    assert _job(connect(address, staff))["state"] == "accepted"


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1.evil.example", "null"])
def test_it_refuses_pages_of_other_sites(connect: Connect, make_job: MakeJob, user: Any, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"/ws/tasks/{make_job().pk}/", user, origin=origin)

    assert refused.value.response.status_code == 403


def test_it_takes_pages_of_its_own_address_and_of_no_other_port(
    connect: Connect, make_job: MakeJob, user: Any, server: Server
) -> None:
    address = f"/ws/tasks/{make_job().pk}/"

    assert _job(connect(address, user, origin=server.url))["state"] == "accepted"
    for origin in ("http://127.0.0.1", f"https://127.0.0.1:{server.port}", f"http://localhost:{server.port}"):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, user, origin=origin)
        assert refused.value.response.status_code == 403


def test_it_knows_no_other_address(connect: Connect, user: Any) -> None:
    with pytest.raises(InvalidStatus):
        connect("/ws/anything/", user)


def test_it_closes_with_a_reason_when_too_many_are_open(connect: Connect, make_job: MakeJob, user: Any) -> None:
    address = f"/ws/tasks/{make_job().pk}/"
    opened = [connect(address, user) for _ in range(STREAMS_PER_USER)]
    assert {_job(each)["state"] for each in opened} == {"accepted"}

    code, reason = _end(connect(address, user))

    assert code == 4429
    assert "too many streams open" in reason


def test_a_stopping_server_tells_its_streams_to_reconnect_and_is_gone_at_once(
    connect: Connect, follow: Follow, make_job: MakeJob, user: Any, run_server: Callable[..., Server]
) -> None:
    job, server = make_job(State.RUNNING), run_server()
    socket = connect(f"/ws/tasks/{job.pk}/", user, at=server)
    stream = follow(f"/api/jobs/{job.pk}/events/", user, at=server)
    a_list = follow("/api/jobs/events/", user, at=server)
    assert _job(socket)["state"] == "running"
    assert stream.states(1) == ["running"]

    took_s = server.stop()

    assert _end(socket) == (1012, "Connect again.")
    assert stream.rest() == ["reconnect"]
    assert a_list.rest()[-1] == "reconnect"
    assert 1000 <= stream.retry_ms <= 4000
    assert took_s < 6  # gunicorn would wait for 20 s

    Job.objects.filter(pk=job.pk).update(state=State.SUCCEEDED, finished_at=job.created_at)
    again = run_server(server.port)
    assert follow(f"/api/jobs/{job.pk}/events/", user, at=again, **{"Last-Event-ID": stream.last_id}).states(1) == [
        "succeeded"
    ]
    assert _job(connect(f"/ws/tasks/{job.pk}/", user, at=again))["state"] == "succeeded"

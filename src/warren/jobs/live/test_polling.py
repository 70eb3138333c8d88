"""Streams where nothing keeps them open: Django's own test client, a WSGI server."""

import pytest
from rest_framework.test import APIClient

from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db


def test_the_stream_of_a_job_is_its_state_and_when_to_ask_again(api: APIClient, make_job: MakeJob) -> None:
    answer = api.get(f"/api/jobs/{make_job(State.RUNNING).pk}/events/", headers={"accept": "text/event-stream"})

    assert answer["Content-Type"] == "text/event-stream"
    assert answer["X-Accel-Buffering"] == "no"
    assert answer.content.startswith(b"retry: ")
    assert b'"state":"running"' in answer.content


def test_the_stream_of_a_list_says_to_load_it(api: APIClient) -> None:
    assert b"event: reload" in api.get("/api/jobs/events/", headers={"accept": "text/event-stream"}).content


def test_errors_are_json_though_an_event_stream_is_asked_for(anybody: APIClient) -> None:
    answer = anybody.get("/api/jobs/events/", headers={"accept": "text/event-stream"})

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/json")
    assert answer.json()["detail"]

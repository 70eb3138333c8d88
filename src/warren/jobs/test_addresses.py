"""Jobs whose id holds what parts an address: a foreign producer called them so, and they were adopted."""

import json
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from warren.delivery.states import State
from warren.jobs.addresses import JobIdConverter
from warren.jobs.conftest import MakeJob
from warren.jobs.live import snapshots

pytestmark = pytest.mark.django_db

ODD = ("orders/42", "/", "a//b/", "", ".", "..", "~", "~1", "~0/", "~.", "100%", "what?", "a b#c", "Möhre/1")


@pytest.mark.parametrize("job_id", ODD)
def test_every_link_of_a_job_leads_to_it(api: APIClient, make_job: MakeJob, job_id: str) -> None:
    make_job(State.FAILED, id=job_id)
    make_job(State.FAILED)

    listed = api.get("/api/jobs/")
    [odd] = [each for each in listed.json()["results"] if each["id"] == job_id]
    paths = {name: urlsplit(link).path for name, link in odd["links"].items()}

    assert api.get(paths["self"]).json()["id"] == job_id
    assert api.get(paths["result"]).json()["state"] == "FAILURE"
    assert api.get(f"{paths['self']}events/").status_code == 200
    assert "already failed" in api.post(paths["cancel"]).json()["detail"]


@pytest.mark.parametrize("job_id", ODD)
def test_whoever_follows_jobs_is_told_of_it(make_job: MakeJob, job_id: str) -> None:
    make_job(id=job_id)

    told = json.loads(snapshots.read([job_id])[job_id].text)

    assert told["id"] == job_id


def test_an_id_of_ours_stands_in_the_address_as_it_is() -> None:
    job_id = str(uuid4())

    assert JobIdConverter().to_url(job_id) == job_id

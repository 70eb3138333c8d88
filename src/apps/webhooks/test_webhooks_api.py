"""Callback addresses by HTTP: with a job, in a batch, and what became of the calls."""

from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from apps.webhooks import panel, signing_secrets
from apps.webhooks.conftest import Receiver, Script
from apps.webhooks.models import Delivery, Redelivery
from warren.delivery import on_final
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db

ADD = {"task": "arithmetic.add", "args": [1, 2]}
SECRET_WORD = "secret-word"  # noqa: S105  of these tests


@pytest.fixture(autouse=True)
def _inside(settings: Settings) -> None:
    settings.WEBHOOK_RECEIVERS = ["127.0.0.0/8"]


def _submit(api: APIClient, receiver: Receiver) -> str:
    answer = api.post("/api/jobs/", {**ADD, "callback_url": receiver.url(f"hook?token={SECRET_WORD}")})
    assert answer.status_code == 202, answer.json()
    return str(answer.json()["id"])


@pytest.fixture
def told(api: APIClient, receiver: Receiver, run_next: Any) -> str:
    """A job whose receiver has refused a call and taken the next."""
    receiver.script = Script(statuses=[500, 200])
    job_id = _submit(api, receiver)
    for _ in range(3):
        run_next()
    return job_id


def test_it_takes_an_address_with_a_job(api: APIClient, receiver: Receiver) -> None:
    job = Job.objects.get(pk=_submit(api, receiver))

    assert job.envelope.headers[on_final.HEADER]["value"] == {"url": receiver.url(f"hook?token={SECRET_WORD}")}
    assert SECRET_WORD not in api.get(f"/api/jobs/{job.pk}/").content.decode()


def test_it_takes_addresses_in_a_batch(api: APIClient) -> None:
    jobs = [{**ADD, "callback_url": "https://example.com/one"}, ADD, {**ADD, "callback_url": None}]

    answer = api.post("/api/jobs/batch/", {"jobs": jobs})

    assert answer.status_code == 202
    headers = [Job.objects.get(pk=each["id"]).envelope.headers for each in answer.json()["jobs"]]
    assert [on_final.HEADER in each for each in headers] == [True, False, False]


@pytest.mark.parametrize(
    "url",
    [
        f"https://ann:{SECRET_WORD}@example.com/",
        f"http://example.com/?token={SECRET_WORD}",
        f"https://10.0.0.1/?token={SECRET_WORD}",
        f"https://example.com:22/?token={SECRET_WORD}",
        f"nonsense {SECRET_WORD}",
        f"https://[{SECRET_WORD}",
        f"https://example.com/\x00{SECRET_WORD}",
        f"https://example.com/?{SECRET_WORD}{'x' * 2000}",
        [SECRET_WORD],
    ],
)
def test_it_refuses_a_bad_address_without_repeating_it(api: APIClient, url: Any) -> None:
    one = api.post("/api/jobs/", {**ADD, "callback_url": url})
    many = api.post("/api/jobs/batch/", {"jobs": [ADD, {**ADD, "callback_url": url}]})

    assert (one.status_code, many.status_code) == (400, 400)
    assert "callback_url" in one.json()["errors"]
    assert any(name.startswith("jobs.1.callback_url") for name in many.json()["errors"])
    assert SECRET_WORD not in one.content.decode() + many.content.decode()
    assert not Job.objects.exists()


def test_an_idempotency_key_stands_for_the_address_too(api: APIClient) -> None:
    codes = [
        api.post("/api/jobs/", {**ADD, "callback_url": url}, headers={"Idempotency-Key": "k"}).status_code
        for url in ("https://example.com/a", "https://example.com/a", "https://example.com/b")
    ]

    assert codes == [202, 202, 409]


def test_it_shows_every_attempt(api: APIClient, receiver: Receiver, told: str) -> None:
    answer = api.get(f"/api/jobs/{told}/webhooks/")

    body = answer.json()
    assert answer.status_code == 200
    assert body["callback_url"] == receiver.url("hook?…")
    [delivery] = body["deliveries"]
    assert (delivery["event"], delivery["status"], delivery["url"]) == (
        "job.succeeded",
        "delivered",
        body["callback_url"],
    )
    assert [(each["status"], each["reason"]) for each in delivery["attempts"]] == [
        (500, "the receiver answered 500"),
        (200, ""),
    ]
    assert all(isinstance(each["duration_ms"], int) for each in delivery["attempts"])
    assert SECRET_WORD not in answer.content.decode()


def test_it_says_when_the_next_attempt_is(api: APIClient, receiver: Receiver, run_next: Any) -> None:
    receiver.script = Script(statuses=[500])
    job_id = _submit(api, receiver)
    assert api.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"] == []
    run_next()
    run_next()

    [delivery] = api.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"]

    assert delivery["status"] == "waiting"
    assert delivery["next_attempt_at"] is not None


def test_it_asks_once_while_nothing_has_been_told(
    api: APIClient, receiver: Receiver, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = Job.objects.get(pk=_submit(api, receiver))

    with django_assert_num_queries(1):
        panel.context(job)


def test_a_delivery_whose_job_is_gone_is_given_up(api: APIClient, receiver: Receiver, run_next: Any) -> None:
    receiver.script = Script(statuses=[500])
    job_id = _submit(api, receiver)
    run_next()
    Job.objects.filter(pk=run_next().pk).delete()

    [delivery] = api.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"]

    assert (delivery["status"], delivery["next_attempt_at"]) == ("given_up", None)


def test_it_says_when_it_was_given_up(api: APIClient, receiver: Receiver, run_next: Any) -> None:
    receiver.script = Script(statuses=[410])
    job_id = _submit(api, receiver)
    run_next()
    run_next()

    assert api.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"][0]["status"] == "given_up"


def test_a_job_that_calls_nobody_says_so(api: APIClient) -> None:
    job_id = api.post("/api/jobs/", ADD).json()["id"]

    assert api.get(f"/api/jobs/{job_id}/webhooks/").json() == {"callback_url": None, "deliveries": []}


def test_only_the_owner_and_the_staff_see_and_redeliver(
    told: str, api: APIClient, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/jobs/{told}/webhooks/"
    delivery_id = api.get(path).json()["deliveries"][0]["id"]
    again = f"{path}{delivery_id}/redeliver/"

    assert [each.get(path).status_code for each in (stranger_api, anybody, staff_api)] == [404, 401, 200]
    assert [each.post(again).status_code for each in (stranger_api, anybody, staff_api)] == [404, 401, 202]
    assert Redelivery.objects.count() == 1
    assert api.post(f"{path}nonsense/redeliver/").status_code == 404


def test_a_redelivery_is_recorded_with_who_and_when(
    told: str, api: APIClient, staff_api: APIClient, staff: Any, run_next: Any
) -> None:
    path = f"/api/jobs/{told}/webhooks/"
    delivery_id = api.get(path).json()["deliveries"][0]["id"]

    answer = staff_api.post(f"{path}{delivery_id}/redeliver/")
    again = staff_api.post(f"{path}{delivery_id}/redeliver/")

    assert (answer.status_code, again.status_code) == (202, 409)
    assert answer.json()["deliveries"][0]["redeliveries"][0]["by"] == staff.get_username()
    assert api.get(path).json()["deliveries"][0]["redeliveries"][0]["by"] == "staff"
    run_next()
    assert len(api.get(path).json()["deliveries"][0]["attempts"]) == 3


def test_looking_costs_the_same_however_much_was_told(
    told: str, api: APIClient, run_next: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    path = f"/api/jobs/{told}/webhooks/"
    delivery_id = api.get(path).json()["deliveries"][0]["id"]
    for _ in range(3):
        api.post(f"{path}{delivery_id}/redeliver/")
        run_next()

    with django_assert_num_queries(4):  # the job; the deliveries with their jobs, attempts, redeliveries with who asked
        api.get(path)


def test_everybody_gets_their_own_secrets(
    api: APIClient, stranger_api: APIClient, user: Any, settings: Settings
) -> None:
    settings.WEBHOOK_SECRETS = ["n" * 40, "s" * 40]
    current, previous = signing_secrets.of_user(user.pk)

    answer = api.get("/api/webhooks/secret/")

    assert answer.json() == {"current": current, "previous": previous}
    assert answer.headers["Cache-Control"] == "no-store"
    assert stranger_api.get("/api/webhooks/secret/").json()["current"] != current


def test_without_a_secret_it_says_that_nobody_is_called(api: APIClient, settings: Settings) -> None:
    settings.WEBHOOK_SECRETS = []

    assert api.get("/api/webhooks/secret/").status_code == 422
    assert api.post("/api/jobs/", {**ADD, "callback_url": "https://example.com/"}).status_code == 400


def test_the_jobs_page_shows_the_attempts(told: str, user: Any, rf: RequestFactory) -> None:
    job = Job.objects.get(pk=told)
    request = rf.get("/")
    request.user = user

    page = render_to_string("webhooks/attempts.html", {"panel": panel.context(job), "job": job}, request=request)

    assert "delivered" in page
    assert "the receiver answered 500" in page
    assert SECRET_WORD not in page
    assert "csrfmiddlewaretoken" in page


@pytest.mark.parametrize("job_id", ["orders/42", "~1", ".."])
def test_a_job_that_a_foreign_producer_named_has_its_attempts_and_its_button(
    told: str, api: APIClient, client: Client, user: Any, job_id: str
) -> None:
    job = Job.objects.get(pk=told)
    job.pk = job_id
    job.save(force_insert=True)
    Delivery.objects.update(job=job)
    client.force_login(user)

    shown = api.get(reverse("job-webhooks", args=[job_id])).json()
    page = render_to_string("webhooks/attempts.html", {"panel": panel.context(job), "job": job})

    button = reverse("webhooks-panel-redeliver", args=[job_id, shown["deliveries"][0]["id"]])
    assert f'action="{button}"' in page
    assert client.post(button).status_code == 302
    assert Redelivery.objects.get().by == user


def test_the_panel_costs_nothing_for_a_job_that_calls_nobody(
    api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = Job.objects.get(pk=api.post("/api/jobs/", ADD).json()["id"])

    with django_assert_num_queries(0):
        assert panel.context(job) is None


def test_the_panels_button_asks_for_the_call_once_more(told: str, api: APIClient, user: Any, stranger: Any) -> None:
    delivery_id = api.get(f"/api/jobs/{told}/webhooks/").json()["deliveries"][0]["id"]
    address = f"/api/jobs/{told}/webhooks/{delivery_id}/again/"
    strict, theirs, mine = Client(enforce_csrf_checks=True), Client(), Client()
    strict.force_login(user)
    theirs.force_login(stranger)
    mine.force_login(user)

    codes = [strict.post(address), theirs.post(address), Client().post(address), mine.get(address), mine.post(address)]

    assert [each.status_code for each in codes] == [403, 404, 404, 405, 302]
    assert Redelivery.objects.get().by == user

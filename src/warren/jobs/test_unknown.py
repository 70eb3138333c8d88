import pytest
from django.test import Client


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_of_the_api_is_told_in_json(client: Client, method: str) -> None:
    answer = getattr(client, method)("/api/nothing/?with=this")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no /api/nothing/; /api/docs/ lists what there is."}


def test_who_reads_without_the_last_slash_is_sent_there(client: Client) -> None:
    answer = client.get("/api/jobs?state=failed")

    assert (answer.status_code, answer["Location"]) == (301, "/api/jobs/?state=failed")


def test_who_sends_without_the_last_slash_is_told(client: Client) -> None:
    answer = client.post("/api/jobs", {"task": "arithmetic.add"}, content_type="application/json")

    assert answer.status_code == 404
    assert "/api/jobs/, with the slash" in answer.json()["detail"]


@pytest.mark.django_db
def test_elsewhere_a_page_answers(client: Client) -> None:
    answer = client.get("/nothing/")

    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (404, "text/html")

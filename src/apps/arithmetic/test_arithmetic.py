"""Adding numbers by HTTP, and the task that does it."""

from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.arithmetic.serializers import LARGEST
from apps.arithmetic.tasks import add, divide
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db


def test_it_adds() -> None:
    assert add(1, 2.5) == 3.5


def test_it_divides_and_fails_by_zero() -> None:
    assert divide(3, 2) == 1.5
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


def test_it_accepts_numbers_and_leads_to_the_result(api: APIClient, user: Any) -> None:
    answer = api.post(reverse("arithmetic-add-numbers"), {"num1": 1, "num2": 2.5})

    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.task, job.queue, job.owner, job.kwargs) == (add.name, "cpu", user, {"num1": 1, "num2": 2.5})
    assert api.get(answer.headers["Location"]).json()["state"] == "PENDING"


@pytest.mark.parametrize("wrong", ['"1"', "true", "null", "[1]", str(LARGEST + 1), str(-LARGEST - 1), "1e400", "NaN"])
def test_it_refuses_what_is_no_number_within_bounds(api: APIClient, wrong: str) -> None:
    body = f'{{"num1": {wrong}, "num2": 2}}'

    answer = api.post(reverse("arithmetic-add-numbers"), body, content_type="application/json")

    assert answer.status_code == 400
    assert "num1" in answer.json()["errors"] or "JSON" in answer.json()["detail"]
    assert not Job.objects.exists()


def test_it_names_the_bounds_in_the_error(api: APIClient) -> None:
    answer = api.post(reverse("arithmetic-add-numbers"), {"num1": 10**16, "num2": 2})

    assert str(LARGEST) in answer.json()["errors"]["num1"][0]


def test_it_needs_a_login(anybody: APIClient) -> None:
    assert anybody.post(reverse("arithmetic-add-numbers"), {"num1": 1, "num2": 2}).status_code == 401

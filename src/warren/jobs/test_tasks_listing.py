"""GET /api/tasks/."""

from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from warren.jobs import callable_tasks
from warren.jobs.callable_tasks import Argument
from warren.jobs.fields import TextField

pytestmark = pytest.mark.django_db


class _Arguments(serializers.Serializer[Any]):
    names = serializers.ListField(child=TextField(), max_length=3)
    fast = serializers.BooleanField(required=False, help_text="Hurry.")


class _Task:
    name = "some.task"
    queue = "io"
    arguments = _Arguments
    __doc__ = "Does something."


def test_it_lists_what_can_be_called_and_what_it_takes(api: APIClient) -> None:
    tasks = {task["name"]: task for task in api.get("/api/tasks/").json()}

    assert "celery.backend_cleanup" not in tasks
    add = tasks["arithmetic.add"]
    assert add["queue"] == "cpu"
    assert add["description"]
    assert [(each["name"], each["type"], each["required"]) for each in add["arguments"]] == [
        ("num1", "number", True),
        ("num2", "number", True),
    ]


def test_it_needs_a_login(anybody: APIClient) -> None:
    assert anybody.get("/api/tasks/").status_code == 401


def test_it_describes_types_and_bounds() -> None:
    task: Any = _Task()

    described = callable_tasks.describe(task)

    assert described.arguments == [
        Argument(name="names", type="list", required=True, help="", bounds={"max_length": 3}),
        Argument(name="fast", type="boolean", required=False, help="Hurry."),
    ]
    assert callable_tasks.accepts(task) == "some.task takes names (list, max length 3), fast (boolean, optional)."

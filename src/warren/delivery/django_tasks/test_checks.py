from typing import Any

import pytest
from celery import Celery
from django.core.checks import run_checks
from django.tasks import default_task_backend

from warren.delivery.django_tasks import checks


def test_it_finds_nothing_when_the_settings_are_warren_s() -> None:
    assert default_task_backend.check() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"QUEUES": ["cpu", "gpu"]}, "names the queue 'gpu', which no worker reads"),
        ({"OPTIONS": {"transactionl": True}}, "unknown option 'transactionl'"),
        ({"OPTIONS": {"transactional": "yes"}}, "transactional is 'yes', not True or False"),
    ],
)
def test_it_names_what_is_wrong_when_the_system_is_checked(settings: Any, change: dict[str, Any], found: str) -> None:
    settings.TASKS = {"default": {**settings.TASKS["default"], **change}}

    messages = [message.msg for message in run_checks() if (message.id or "").startswith("warren.")]

    assert len(messages) == 1
    assert found in messages[0]


def test_it_names_the_part_that_is_not_warren_s_when_celery_is_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "current_app", Celery("plain", set_as_current=False, backend="disabled://"))

    messages = [message.msg for message in checks._of_celery(default_task_backend)]

    assert [message.rpartition(" ")[2] for message in messages] == ["AMQP.", "DisabledBackend."]

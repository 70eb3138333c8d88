"""A process that has not imported a Django task finds it by its name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from celery.exceptions import NotRegistered

import warren.delivery
from warren.delivery.models import Job

_MODULE = """
from django.tasks import task

@task
def greet():
    return "hello"
"""

type Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Adds a module to the package of an installed app."""
    monkeypatch.setattr(warren.delivery, "__path__", [*warren.delivery.__path__, str(tmp_path)])

    def into(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)

    return into


def test_it_imports_the_module_when_it_is_asked_for_its_task(app: Celery, write: Write) -> None:
    write("come_late", _MODULE)
    assert "warren.delivery.come_late.greet" not in app.tasks

    found = app.tasks["warren.delivery.come_late.greet"]

    assert found.name == "warren.delivery.come_late.greet"


@pytest.mark.django_db(transaction=True)
def test_it_can_be_run_by_a_worker_that_started_without_it(app: Celery, write: Write) -> None:
    write("come_later", _MODULE)
    request = {"id": "an-id", "hostname": "worker-test@here", "delivery_info": {"routing_key": "cpu"}}

    # as a process of the prefork pool does
    app.tasks["warren.delivery.come_later.greet"].__trace__("an-id", [], {}, request)

    assert Job.objects.get(pk="an-id").result == '"hello"'


@pytest.mark.parametrize("name", ["warren.delivery.nowhere.greet", "os.path.join", "no_such.task", "nothing"])
def test_it_says_not_registered_when_there_is_no_such_task(app: Celery, name: str) -> None:
    with pytest.raises(NotRegistered, match=name):
        app.tasks[name]


def test_it_says_not_registered_when_the_module_is_broken(
    app: Celery, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("broken_one", "1 / 0")

    with pytest.raises(NotRegistered):
        app.tasks["warren.delivery.broken_one.greet"]

    assert "ZeroDivisionError" in caplog.text

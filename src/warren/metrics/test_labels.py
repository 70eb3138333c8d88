import pytest
from celery import shared_task

from warren.metrics import labels


@shared_task(name="labels.known", queue="cpu")
def known() -> None:
    """Nothing."""


def test_it_keeps_the_name_of_a_task_when_that_is_known() -> None:
    assert labels.task("labels.known") == "labels.known"


@pytest.mark.parametrize("name", ["", "labels.unknown", "os.system", "x" * 10_000])
def test_it_calls_a_task_other_when_nobody_knows_it(name: str) -> None:
    assert labels.task(name) == labels.OTHER


def test_it_remembers_no_name_when_that_is_unknown() -> None:
    before = len(labels._tasks)

    for number in range(1000):
        labels.task(f"labels.unknown-{number}")

    assert len(labels._tasks) == before


@pytest.mark.parametrize(("name", "label"), [("cpu", "cpu"), ("io", "io"), ("mine", labels.OTHER), ("", labels.OTHER)])
def test_it_keeps_the_names_of_declared_queues_alone(name: str, label: str) -> None:
    assert labels.queue(name) == label

"""How queues stand, and how much they did."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from warren.dashboard import queue_cards, sparkline, throughput
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


def test_they_count_by_queue_and_state(make_job: MakeJob) -> None:
    now = timezone.now()
    make_job(available_at=now - timedelta(seconds=90))
    make_job(State.QUEUED, available_at=now - timedelta(seconds=30))
    make_job(available_at=now + timedelta(hours=1))
    make_job(State.RUNNING)
    make_job(State.FAILED)
    make_job(State.DEAD)
    make_job(State.SUCCEEDED)
    make_job(State.RUNNING, queue="io")
    make_job(State.RUNNING, queue="unheard-of")

    cards = queue_cards.of(["cpu", "io"], finished={})
    cpu, io = (card.figures for card in cards)

    assert (cpu.waiting, cpu.later, cpu.running, cpu.failed, cpu.dead) == (2, 1, 1, 1, 1)
    assert (io.waiting, io.running, io.failed) == (0, 1, 0)
    assert [card.longest_wait and card.longest_wait.seconds // 60 for card in cards] == [1, None]
    assert not cards[0].at_least


def test_they_stop_counting_somewhere(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_cards, "MOST", 2)
    for _ in range(5):
        make_job(State.QUEUED)

    (cpu,) = queue_cards.of(["cpu"], finished={})

    assert (cpu.figures.waiting, cpu.at_least) == (3, True)


def test_the_mean_leaves_out_the_minute_that_is_not_over() -> None:
    assert queue_cards.QueueCard(name="cpu", finished=[9, 10, 20, 30, 40, 50, 1]).per_minute == 30


def test_throughput_counts_each_minute_by_queue(make_job: MakeJob) -> None:
    for seconds, queue in ((0, "cpu"), (-40, "cpu"), (-45, "cpu"), (-40, "io"), (-29 * 60, "cpu"), (-40 * 60, "cpu")):
        make_job(State.SUCCEEDED, queue=queue, finished_at=NOW + timedelta(seconds=seconds))

    counted = throughput.finished(now=NOW)

    assert counted["cpu"] == [1, *[0] * 27, 2, 1]
    assert counted["io"] == [*[0] * 28, 1, 0]


def test_throughput_reads_minutes_that_are_over_once(make_job: MakeJob) -> None:
    job = make_job(State.SUCCEEDED, finished_at=NOW - timedelta(minutes=2))
    throughput.finished(now=NOW)
    job.delete()
    make_job(State.SUCCEEDED, finished_at=NOW + timedelta(seconds=70))

    counted = throughput.finished(now=NOW + timedelta(minutes=2))

    assert counted["cpu"][-5:] == [1, 0, 0, 1, 0]


def test_throughput_does_not_settle_a_minute_that_has_just_ended(make_job: MakeJob) -> None:
    throughput.finished(now=datetime(2026, 5, 4, 12, 1, 2, tzinfo=UTC))
    make_job(State.SUCCEEDED, finished_at=datetime(2026, 5, 4, 12, 0, 59, tzinfo=UTC))

    counted = throughput.finished(now=datetime(2026, 5, 4, 12, 1, 20, tzinfo=UTC))

    assert counted["cpu"][-2:] == [1, 0]


def test_throughput_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        throughput.finished(now=NOW)


def test_a_line_goes_from_edge_to_edge_and_says_its_numbers() -> None:
    drawn = sparkline.draw([0, 5, 10], what="Jobs")

    assert drawn.line == "M0.0 29.0L60.0 15.5L120.0 2.0"
    assert drawn.area.endswith("V30H0Z")
    assert drawn.words == "Jobs, oldest first: 0, 5, 10"


@pytest.mark.parametrize("numbers", [[], [3]])
def test_a_line_of_nothing_is_flat(numbers: list[int]) -> None:
    assert sparkline.draw(numbers, what="Jobs").line == "M0.0 29.0L120.0 29.0"

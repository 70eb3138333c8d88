import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError

from warren.delivery.batching.combining import Combiner

MANY, MOST = 50, 40


class Work:
    """Doubles numbers, one group at a time, when it is let."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.let = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, items: list[int]) -> list[int]:
        self.groups.append(list(items))
        self.begun.release()
        assert self.let.acquire(timeout=10)
        if self.error is not None:
            raise self.error
        return [2 * item for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def ask(work: Work, wait_until: Callable[..., None]) -> Callable[[int], Future[int]]:
    """Ask in a thread of its own; returns when the question has been put."""
    combiner, pool = Combiner(work, most=MOST), ThreadPoolExecutor(MANY)

    def submit(item: int) -> Future[int]:
        future = pool.submit(combiner.ask, item)
        wait_until(lambda: any(item in group for group in [*work.groups, *(each.items for each in combiner._waiting)]))
        return future

    return submit


type Ask = Callable[[int], Future[int]]


def test_it_works_at_once_when_nobody_else_asks(ask: Ask, work: Work) -> None:
    work.let.release()

    assert ask(1).result(timeout=10) == 2
    assert work.groups == [[1]]


def test_it_works_once_for_all_who_asked_meanwhile(ask: Ask, work: Work) -> None:
    asked = [ask(number) for number in range(MOST)]

    work.let.release(2)

    assert [each.result(timeout=10) for each in asked] == [2 * number for number in range(MOST)]
    assert work.groups == [[0], list(range(1, MOST))]


def test_it_parts_what_is_too_much_for_a_group(ask: Ask, work: Work) -> None:
    asked = [ask(number) for number in range(MANY)]

    work.let.release(3)

    assert [each.result(timeout=10) for each in asked] == [2 * number for number in range(MANY)]
    assert work.groups == [[0], list(range(1, MOST + 1)), list(range(MOST + 1, MANY))]


def test_it_is_idle_again_when_all_is_done(ask: Ask, work: Work) -> None:
    work.let.release(3)

    assert [ask(number).result(timeout=10) for number in (1, 2, 3)] == [2, 4, 6]


def test_it_tells_all_of_a_group_when_the_work_fails_and_goes_on(ask: Ask, work: Work) -> None:
    work.error = OperationalError("Postgres is away")
    first, *others = [ask(number) for number in range(4)]

    work.let.release(2)

    for each in (first, *others):
        with pytest.raises(OperationalError, match="Postgres is away"):
            each.result(timeout=10)
    work.error = None
    work.let.release()
    assert ask(7).result(timeout=10) == 14


def test_it_goes_on_when_the_one_at_work_is_killed(ask: Ask, work: Work) -> None:
    work.error = SystemExit()
    first, second, third = ask(1), ask(2), ask(3)
    assert work.begun.acquire(timeout=10)

    work.let.release()
    with pytest.raises(SystemExit):
        first.result(timeout=10)
    work.error = None
    work.let.release()

    assert (second.result(timeout=10), third.result(timeout=10)) == (4, 6)

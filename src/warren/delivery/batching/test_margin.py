import pytest

from warren.delivery.batching.margin import LONG_S, SHORT_S, Margin


@pytest.fixture
def margin() -> Margin:
    return Margin(narrow=100, places=100)


def _note(margin: Margin, *runtimes_s: float) -> list[int]:
    sizes = []
    for runtime_s in runtimes_s:
        margin.note(runtime_s)
        sizes.append(margin.size)
    return sizes


def test_it_begins_with_what_the_worker_was_told_and_opens_once_when_jobs_are_short(margin: Margin) -> None:
    assert margin.size == 100

    sizes = _note(margin, *[0.2] * 50)

    assert sizes == sorted(sizes)
    assert set(sizes) == {100, 150}


def test_it_closes_when_jobs_take_long(margin: Margin) -> None:
    _note(margin, *[0.2] * 50)

    assert _note(margin, *[60.0] * 10)[-1] == 100


def test_one_long_job_among_short_ones_does_not_close_it(margin: Margin) -> None:
    _note(margin, *[0.2] * 50)

    assert set(_note(margin, *[60.0, *[0.2] * 20] * 5)) == {150}


def test_it_stays_as_it_is_when_jobs_are_neither_short_nor_long(margin: Margin) -> None:
    between_s = (SHORT_S + LONG_S) / 2

    assert set(_note(margin, *[between_s] * 50)) == {100}
    _note(margin, *[0.2] * 50)
    assert set(_note(margin, *[between_s] * 50)) == {150}


def test_it_opens_slowly_after_it_was_shut(margin: Margin) -> None:
    _note(margin, *[0.01] * 50)

    margin.shut()

    assert set(_note(margin, *[0.01] * 10)) == {100}
    assert _note(margin, *[0.01] * 20)[-1] == 150


@pytest.mark.parametrize(("narrow", "kept"), [(100, 0), (400, 300), (50, 0)])
def test_what_the_worker_was_told_to_hold_may_wait(narrow: int, kept: int) -> None:
    assert Margin(narrow=narrow, places=100).kept == kept

import pytest

from warren.delivery.batching.window import AHEAD_S, WIDEST, Window


@pytest.fixture
def window() -> Window:
    return Window(narrow=8, children=2)


def _note(window: Window, *runtimes_s: float) -> list[int]:
    sizes = []
    for runtime_s in runtimes_s:
        window.note(runtime_s)
        sizes.append(window.size)
    return sizes


def test_it_begins_narrow_and_opens_to_a_batch_for_each_child_when_jobs_are_short(window: Window) -> None:
    assert window.size == 8

    sizes = _note(window, *[0.0005] * 60)

    assert sizes == sorted(sizes)
    assert sizes[-1] == 2 * WIDEST


def test_it_changes_in_few_steps(window: Window) -> None:
    assert len(set(_note(window, *[0.0005] * 60))) <= 6


def test_it_stays_narrow_when_jobs_take_their_time(window: Window) -> None:
    assert set(_note(window, *[0.2] * 60)) == {8}


def test_it_holds_what_is_done_in_a_moment_when_jobs_are_neither_short_nor_long(window: Window) -> None:
    _note(window, *[0.01] * 100)

    assert 8 < window.size <= 2 * AHEAD_S / 0.01


def test_it_closes_when_one_of_many_jobs_takes_long(window: Window) -> None:
    _note(window, *[0.0005] * 60)

    assert _note(window, 10.0) == [8]


def test_it_opens_again_after_it_was_shut(window: Window) -> None:
    _note(window, *[0.0005] * 60)

    window.shut()

    assert window.size == 8
    assert _note(window, *[0.0005] * 60)[-1] > 8

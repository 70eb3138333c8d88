import pytest

from benchmarks import arithmetic


def test_it_gives_the_middle_and_the_range_when_rounds_differ() -> None:
    summary = arithmetic.figure([300, 100, 120])

    assert (summary.median, summary.least, summary.most) == (120, 100, 300)
    assert summary.spread == pytest.approx(200 / 2 / 120)


def test_it_refuses_a_figure_when_no_round_is_valid() -> None:
    with pytest.raises(ValueError, match="no value"):
        arithmetic.figure([])


def test_it_compares_round_by_round_when_a_round_was_slow_for_both() -> None:
    compared = arithmetic.ratio([400, 40, 800], [100, 10, 200])

    assert (compared.median, compared.least, compared.most) == (4, 4, 4)


@pytest.mark.parametrize(("part", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_it_takes_the_nearest_rank_when_asked_for_a_percentile(part: float, value: int) -> None:
    assert arithmetic.percentile(range(100, 0, -1), part) == value


def test_it_gives_the_only_value_when_there_is_one() -> None:
    assert arithmetic.percentile([7.5], 0.99) == 7.5


def test_it_ranks_all_rounds_together_when_one_of_them_was_slow() -> None:
    figure = arithmetic.pooled([[1, 2, 3, 4], [1, 2, 3, 100]], 0.5)

    assert (figure.median, figure.least, figure.most) == (2, 2, 2)
    assert arithmetic.pooled([[1, 2, 3, 4], [1, 2, 3, 100]], 1.0).least == 4

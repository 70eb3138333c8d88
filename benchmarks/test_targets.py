from collections.abc import Sequence

from benchmarks import targets
from benchmarks.measure import Measurement
from benchmarks.targets import Verdict


def _made(setup: str, work: str, *rates: float, cpu_s: float = 1.0, void: str = "") -> list[Measurement]:
    """One measurement a round, of a hundred jobs each."""
    return [
        Measurement(setup=setup, work=work, round=number, count=100, span_s=100 / rate, cpu_s={"x": cpu_s}, void=void)
        for number, rate in enumerate(rates, start=1)
    ]


def _verdict(made: Sequence[Measurement], *parts: str) -> Verdict:
    (found,) = [each for each in targets.judge(made) if all(part in each.name for part in parts)]
    return found


def test_it_is_met_when_the_median_of_the_rounds_reaches_the_limit() -> None:
    ours, theirs = _made("warren", "accept", 900, 800, 700), _made("django_db", "accept", 100, 100, 100)

    verdict = _verdict(ours + theirs, "one call a job", "times django_db")

    assert verdict.value
    assert (verdict.value.median, verdict.value.least, verdict.met) == (8, 7, True)


def test_it_is_not_met_when_the_median_falls_short() -> None:
    made = _made("warren", "accept", 799) + _made("django_db", "accept", 100)

    assert _verdict(made, "one call a job", "times django_db").met is False


def test_it_is_not_measured_when_the_peer_was_void_in_every_round() -> None:
    made = _made("warren", "accept", 900) + _made("django_db", "accept", 100, void="wrong results")

    assert _verdict(made, "one call a job", "times django_db").met is None


def test_it_compares_the_rounds_that_both_have_when_one_of_ours_is_void() -> None:
    first, second = _made("warren", "drain", 100, 400)
    voided = Measurement(setup="warren", work="drain", round=1, count=100, span_s=first.span_s, void="stalled")
    loaded = _made("warren-loaded", "drain", 10, 200)

    value = _verdict([voided, second, *loaded], "drain", "time a job").value

    assert value
    assert (value.median, value.least, value.most) == (2, 2, 2)


def test_it_wants_a_low_value_when_the_target_is_an_upper_limit() -> None:
    made = _made("warren", "drain", 100, cpu_s=1.0) + _made("warren-loaded", "drain", 100, cpu_s=1.2)

    assert _verdict(made, "drain", "time a job").met is True
    assert _verdict(made, "drain", "CPU a job").met is False

"""How the pages word times, counts and states."""

from datetime import datetime, timedelta

from warren.delivery.states import State

MOST = 10_000  # what a page counts up to: more says nothing that a person would act on, and costs
NARROW_SPACE = "\u202f"  # between thousands
NOTHING = "\u2013"  # a dash, where a value would stand

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_JUST_NOW_S = 1
_TONES = {
    State.ACCEPTED: "waits",
    State.QUEUED: "waits",
    State.RUNNING: "runs",
    State.RETRYING: "warns",
    State.SUCCEEDED: "good",
    State.FAILED: "bad",
    State.CANCELLED: "waits",
    State.EXPIRED: "warns",
    State.DEAD: "bad",
}


def distance(moment: datetime, *, now: datetime) -> str:
    """`3 min ago`, `in 3 min`, `now`: one unit, because more would change under the reader's eyes."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _JUST_NOW_S:
        return "now"
    name, size = next((name, size) for name, size in _UNITS if abs(seconds) >= size)
    amount = f"{abs(seconds) // size:.0f} {name}"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def length(span: timedelta) -> str:
    """The two greatest units that say something; parts of a second below ten."""
    seconds = max(span.total_seconds(), 0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004  ten seconds
        return f"{seconds:.1f} s"
    left, parts = round(seconds), []
    for name, size in _UNITS:
        amount, left = divmod(left, size)
        if amount:
            parts.append(f"{amount} {name}")
    return " ".join(parts[:2])


def count(number: int) -> str:
    """Thousands apart, so that a person sees at a glance how many."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def capped(number: int) -> str:
    """As `count`; one above `MOST` is `10 000+`."""
    return f"{count(MOST)}+" if number > MOST else count(number)


def jobs(number: int) -> str:
    """`1 job`, `12 jobs`."""
    return f"{count(number)} job" if number == 1 else f"{count(number)} jobs"


def tone(state: str) -> str:
    """The class of a state's badge."""
    return _TONES[State(state)]

"""Lengths of time as people read them at a glance."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def in_words(seconds: float) -> str:
    """As in `7 s`, `3 min`, `5 h` or `2 d`: whole ones of the largest unit that fits twice, else of the next."""
    for length_s, unit in _UNITS:
        if abs(seconds) >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.1f} s" if 0 < abs(seconds) < 10 else f"{seconds:.0f} s"  # noqa: PLR2004  as people round

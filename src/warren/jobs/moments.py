"""Moments as people type them on a command line."""

import re
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_AGO = re.compile(r"(\d{1,6})([smhdw])")


def parse(text: str, *, now: datetime) -> datetime:
    """The moment that is so long ago (90m, 2h, 7d), or that is named in ISO 8601, in Django's time zone if it has none.

    Raises `ValueError` for anything else.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(
            f"{text!r} is neither a length of time such as 90m, 2h or 7d, nor a moment such as 2026-05-04T12:00:00Z"
        )
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment

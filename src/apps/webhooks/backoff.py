"""When to call again a receiver that did not take the call."""

import random
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_S = 15
LONGEST_S = 6 * 60 * 60
RETRIES = 14  # so the attempts span 26 hours, give or take some: a receiver that is down over a night is told
_LONGEST_HEADER = 100  # characters; a date has 29
JITTER = 0.25  # part of each delay, both ways, so that what failed together does not come back together


def delay_s(*, retries: int, asked_s: float | None = None) -> float | None:
    """Seconds until the next attempt after this many retries; None when it is time to give up.

    `asked_s` is what the receiver asked for: it is not called before, but no later than the longest delay.
    """
    if retries >= RETRIES:
        return None
    doubled = min(FIRST_S * 2.0**retries, LONGEST_S)
    chosen = doubled * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  to part them, not to keep a secret
    return max(chosen, min(asked_s or 0.0, LONGEST_S))


def asked_for(header: str | None, *, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for; None if there is none that can be read (RFC 9110, 10.2.3).

    It is the receiver's to write, so nothing that it holds may raise: the call would be made no more.
    """
    if header is None:
        return None
    text = header.strip()[:_LONGEST_HEADER]
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max((moment - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):  # no date; one without a zone; one of no calendar
        return None

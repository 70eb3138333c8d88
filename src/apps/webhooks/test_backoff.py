"""When to call again."""

from datetime import UTC, datetime

import pytest

from apps.webhooks import backoff

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def test_it_tries_for_about_a_day_ever_more_rarely() -> None:
    delays = [backoff.delay_s(retries=number) or 0 for number in range(backoff.RETRIES)]

    assert backoff.delay_s(retries=backoff.RETRIES) is None
    assert delays[0] < 20
    assert 18 * 3600 < sum(delays) < 34 * 3600
    assert max(delays) <= backoff.LONGEST_S * (1 + backoff.JITTER)


def test_it_parts_those_that_failed_together() -> None:
    delays = {backoff.delay_s(retries=5) for _ in range(20)}

    assert len(delays) == 20
    assert all(360 <= (each or 0) <= 600 for each in delays)


def test_it_waits_as_long_as_the_receiver_asks_but_not_for_ever() -> None:
    assert backoff.delay_s(retries=0, asked_s=900) == 900
    assert backoff.delay_s(retries=0, asked_s=10**9) == backoff.LONGEST_S
    assert (backoff.delay_s(retries=9, asked_s=1) or 0) > 1000
    assert backoff.delay_s(retries=backoff.RETRIES, asked_s=1) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 04 May 2026 12:01:00 GMT", 60.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
        ("9" * 5000, float("9" * 100)),
        ("-" + "9" * 5000, None),
        ("1e400", None),
        ("inf", None),
        ("nan", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 99999999999 Jan 2026 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 99999999999:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 251624491139.0),
        ("Mon, 04 May 2026 12:01:00", None),
        ("Mon, 04 May 2026 12:01:00 -0000", None),
        (None, None),
    ],
)
def test_it_reads_retry_after(header: str | None, seconds: float | None) -> None:
    assert backoff.asked_for(header, now=NOW) == seconds

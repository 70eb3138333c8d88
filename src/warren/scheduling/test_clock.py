import logging
from datetime import UTC, datetime, timedelta

import pytest

from warren.scheduling.clock import Clock

HOUR = timedelta(hours=1)


def test_it_goes_on_from_what_postgres_said() -> None:
    clock = Clock()
    said = datetime.now(UTC) - HOUR

    clock.set(said)

    assert timedelta(0) <= clock.now() - said < timedelta(seconds=1)


def test_it_warns_once_when_the_machine_disagrees(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()

    with caplog.at_level(logging.WARNING):
        clock.set(datetime.now(UTC) - HOUR)
        clock.set(datetime.now(UTC) - HOUR)

    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock is 3600 s ahead of Postgres', whose counts"
    ]


def test_it_is_silent_when_they_agree(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Clock().set(datetime.now(UTC))

    assert not caplog.records

"""A report as CSV: a line for each job, as RFC 4180 says, in UTF-8."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO

from apps.reports.scope import Row

# A spreadsheet runs what begins like this as a formula, and a task's name may come from anybody's producer.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(file: IO[bytes], *, pages: Iterable[list[Row]]) -> None:
    """Write a line of names, then each page as it comes; times are ISO 8601 in UTC."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow((*Row._fields, "wait_s", "run_s"))
    for page in pages:
        writer.writerows(_cells(row) for row in page)
    text.detach()  # the file stays open: who opened it closes it


def _cells(row: Row) -> list[str | int | float | None]:
    own = [_iso(each) if isinstance(each, datetime) else _harmless(each) for each in row]
    return [*own, _seconds(row.created_at, row.started_at), _seconds(row.started_at, row.finished_at)]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _harmless(value: str | int | None) -> str | int | None:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return round((until - since).total_seconds(), 3) if since and until else None

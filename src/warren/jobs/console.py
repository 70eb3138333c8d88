"""Jobs as a terminal shows them: plain columns and lines, which pipes understand too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

COLUMNS = {
    "id": "ID",
    "state": "STATE",
    "task": "TASK",
    "queue": "QUEUE",
    "attempt": "ATTEMPT",
    "created_at": "CREATED",
}
GAP = "  "
# of a job, in the order in which somebody on call asks; what is empty is left out
LINES = (
    "task",
    "queue",
    "state",
    "attempt",
    "worker",
    "owner",
    "priority",
    "created_at",
    "available_at",
    "expires_at",
    "started_at",
    "finished_at",
    "args",
    "kwargs",
    "progress",
    "result",
    "root_id",
    "parent_id",
    "group_id",
)


def table(jobs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A heading and a line for each job; `jobs` are as the API lists them."""
    rows = [[name.upper() for name in COLUMNS], *([str(job[name]) for name in COLUMNS] for job in jobs)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(COLUMNS))]
    for row in rows:
        yield _line(row, widths)


def details(job: Mapping[str, Any]) -> Iterator[str]:
    """All that is known of a job, as the API tells it."""
    width = max(map(len, LINES)) + len(GAP)
    yield f"{'id':{width}}{job['id']}"
    for name in LINES:
        if job[name] not in (None, "", [], {}):
            yield f"{name:{width}}{job[name]}"
    yield from _failure(job["error"], indent="")
    if job["history"]:
        yield from ("", "history")
    for event in job["history"]:
        yield from _event(event)


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    by = f" by {event['by']}" if event["by"] else ""
    reason = f": {event['reason']}" if event["reason"] else ""
    yield f"{GAP}{event['at']}  {event['kind']}{by}{reason}"
    worker = f" on {event['worker']}" if event["worker"] else ""
    yield f"{GAP * 2}it was {event['state']}, attempt {event['attempt']}{worker}"
    yield from _failure(event["error"], indent=GAP * 2)


def _failure(error: Mapping[str, str] | None, *, indent: str) -> Iterator[str]:
    if error is None:
        return
    yield f"{indent}error: {error['type']}: {error['message']}"
    for line in error["traceback"].splitlines():
        yield f"{indent}{GAP}{line}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

"""Jobs as a terminal shows them, and in plain columns and lines as pipes understand them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from warren.delivery.states import State
from warren.jobs.terminal import GAP, Column, safe, show_table, styled

COLUMNS = {
    "id": Column(title="ID"),
    "state": Column(title="STATE"),
    "task": Column(title="TASK", folds=True),
    "queue": Column(title="QUEUE", rank=2),
    "attempt": Column(title="ATTEMPT", rank=3, number=True),
    "created_at": Column(title="CREATED_AT", rank=1),
}
STYLES = {
    State.ACCEPTED: "dim",
    State.QUEUED: "cyan",
    State.RUNNING: "bold blue",
    State.RETRYING: "yellow",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
    State.EXPIRED: "magenta",
    State.DEAD: "bold red",
}
NAME, FAILURE = "dim", "red"
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


def style_of(state: str) -> str:
    """How a terminal shows a state."""
    return STYLES[State(state)]


def show_list(console: Console, jobs: Iterable[Mapping[str, Any]]) -> None:
    """A heading and a line for each job; `jobs` are as the API lists them."""
    rows = ([_cell(name, job[name]) for name in COLUMNS] for job in jobs)
    show_table(console, list(COLUMNS.values()), rows)


def show_details(console: Console, job: Mapping[str, Any]) -> None:
    """All that is known of a job, as the API tells it. No line is broken, so that it can be copied."""
    for line in _details(job):
        console.print(line)


def _details(job: Mapping[str, Any]) -> Iterator[Text]:
    width = max(map(len, LINES)) + len(GAP)
    yield styled(f"{'id':{width}}", NAME) + styled(job["id"])
    for name in LINES:
        if job[name] not in (None, "", [], {}):
            yield styled(f"{name:{width}}", NAME) + _cell(name, job[name])
    yield from _failure(job["error"], indent="")
    if job["history"]:
        yield from (Text(), styled("history", "bold"))
    for event in job["history"]:
        yield from _event(event)


def _cell(name: str, value: object) -> Text:
    return styled(value, style_of(str(value)) if name == "state" else "")


def _event(event: Mapping[str, Any]) -> Iterator[Text]:
    by = f" by {event['by']}" if event["by"] else ""
    reason = f": {event['reason']}" if event["reason"] else ""
    yield styled(f"{GAP}{event['at']}  ", NAME) + styled(f"{event['kind']}{by}{reason}")
    worker = f" on {event['worker']}" if event["worker"] else ""
    yield styled(f"{GAP * 2}it was {event['state']}, attempt {event['attempt']}{worker}")
    yield from _failure(event["error"], indent=GAP * 2)


def _failure(error: Mapping[str, str] | None, *, indent: str) -> Iterator[Text]:
    if error is None:
        return
    yield styled(f"{indent}error: {error['type']}: {error['message']}", FAILURE)
    for line in safe(error["traceback"]).splitlines():
        yield Text(f"{indent}{GAP}{line}", style=NAME)

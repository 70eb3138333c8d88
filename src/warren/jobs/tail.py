"""What `manage.py jobs tail` prints: a line for each state that a job comes to, or a JSON document on a line.

    {"at", "id", "state", "task", "queue", "attempt", "worker", "created_at", "started_at", "finished_at", "error"}

`at` is when this command learned of it, `state` the state that the job came to; all else is of the job's row when it
was read, which is later if the job has gone on at once. `error` is null, or the `type` and `message` of why it failed.
"""

import json
import time
from collections.abc import Callable, Collection
from datetime import datetime
from io import TextIOBase

from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder
from rich.console import Console
from rich.text import Text

from warren.delivery.models import Job
from warren.delivery.states import FINAL, State
from warren.jobs import console, failures
from warren.jobs.following import Change, Follower, PostgresAwayError
from warren.jobs.terminal import GAP, styled

AGAIN_AFTER_S = 1.0
_FIELDS = ("task", "queue", "attempt", "worker", "created_at", "started_at", "finished_at")
_STATE_WIDTH = max(map(len, State))


def follow(
    follower: Follower,
    *,
    until_ended: Collection[str],
    state: str | None,
    tell: Callable[[Change], None],
    warn: Callable[[str], None],
    look_up: Callable[[], None],
) -> None:
    """Tell of each change, to `state` if one is given, until all of these jobs have ended; without any, for ever.

    While Postgres is away, `warn` is told so once, and once that it is back. `look_up` is called each second.
    """
    open_ids, away = set(until_ended), False
    while open_ids or not until_ended:
        look_up()
        try:
            changes = follower.changes()
        except PostgresAwayError as exc:
            if not away:
                warn(f"Postgres does not answer, and is asked until it does: {exc}")
            away = True
            time.sleep(AGAIN_AFTER_S)  # a signal ends it
            continue
        if away:
            away = False
            warn("Postgres answers again; what has ended meanwhile follows.")
        for change in changes:
            if state in (None, change.state):
                tell(change)
            if change.row["state"] in FINAL:
                open_ids.discard(change.row["id"])


def print_json(out: TextIOBase, change: Change) -> None:
    """See the module's docstring."""
    told = {"at": timezone.now(), "id": change.row["id"], "state": change.state.value}
    told |= {name: change.row[name] for name in _FIELDS}
    out.write(f"{json.dumps(told | {'error': _error(change)}, cls=JSONEncoder)}\n")
    out.flush()


def show(out: Console, change: Change) -> None:
    """A line: the time, the state, the id and what it is of. The failure of one that failed follows it."""
    line = styled(_clock(timezone.now(), short=out.is_terminal), console.NAME) + GAP
    line += styled(f"{change.state.value:{_STATE_WIDTH}}", console.style_of(change.state)) + GAP
    line += styled(f"{change.row['id']}{GAP}{change.row['task']}{GAP}{change.row['queue']}")
    line += styled(f"{GAP}attempt {change.row['attempt']}", console.NAME)
    if error := _error(change):
        reason = f"{error['type']}: {error['message']}".replace("\n", " ")
        line += Text(GAP) + styled(reason, console.FAILURE)
    out.print(line)


def _error(change: Change) -> dict[str, str] | None:
    if change.row["state"] != change.state:
        return None  # of an earlier end: the job's history has it
    error = failures.of(Job(state=change.state, result=change.row["result"]))
    return error and {"type": error["type"], "message": error["message"]}


def _clock(now: datetime, *, short: bool) -> str:
    local = timezone.localtime(now)
    return f"{local:%H:%M:%S}" if short else local.isoformat(timespec="seconds")

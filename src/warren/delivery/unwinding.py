"""Takes back what a job's end did to the chain and chord around it, so that they go on when it runs again.

When a step of a canvas fails, what will never be sent fails with it: the rest of its chain, the body of its chord, and
whatever waits for these. Such a job has a row without a message (`closing.py`); until then it had none, so the row is
deleted here. A part that has returned was counted (`chords.py`); the count is made anew from the parts' rows, so that
no part counts twice and the body is sent once, whoever had failed and however often.

Call it in one transaction, in this order, so that locks are taken in the order in which a returning part takes them,
jobs before chords: `around`, `lock_chords`, `forget_never_sent`, make the jobs open, `recount`.

    a part returns before the lock    it is final, and counted here
    a part returns after the lock     it waits for us, then adds itself to the new count
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from warren.delivery.models import Chord, Job, ResultGroup
from warren.delivery.states import FINAL

_RECOUNT = """
UPDATE warren_chord
SET returned = (SELECT count(*) FROM warren_job WHERE id = ANY(%(parts)s) AND state = ANY(%(final)s))
WHERE id = %(id)s
"""


@dataclass(frozen=True)
class Surroundings:
    """What waits for a job: ids of jobs that are sent after it, and of the chords that count it or one of these."""

    following: set[str] = field(default_factory=set)
    chords: set[str] = field(default_factory=set)


def around(message: str) -> Surroundings:
    """What waits for the job of this stored message, near and far."""
    stored = json.loads(message)
    found = Surroundings()
    embed = stored["embed"]
    _follow(found, chain=embed.get("chain"), chord=embed.get("chord"), group_id=stored["headers"].get("group"))
    return found


def sent(job_ids: Collection[str]) -> set[str]:
    """Those of the jobs that have been sent: nothing that they waited for can run before them any more."""
    return set(Job.objects.filter(pk__in=job_ids).exclude(message="").values_list("pk", flat=True))


def lock_chords(group_ids: Collection[str]) -> None:
    """From here to the end of the transaction no part of these chords returns."""
    list(Chord.objects.select_for_update().filter(pk__in=group_ids).order_by("pk"))


def forgotten(group_ids: Collection[str]) -> set[str]:
    """Those of the chords whose parts are no longer known."""
    return set(group_ids) - set(ResultGroup.objects.filter(pk__in=group_ids).values_list("pk", flat=True))


def forget_never_sent(job_ids: Collection[str]) -> None:
    """Delete what failed only because the job before it did."""
    Job.objects.filter(pk__in=job_ids, message="", attempt=0, state__in=FINAL).delete()


def recount(group_ids: Iterable[str]) -> None:
    """Let each of these locked chords say how many of its parts are final."""
    groups = ResultGroup.objects.filter(pk__in=list(group_ids))
    with connection.cursor() as cursor:
        for group in groups:
            parts = list(_parts(json.loads(group.result)))
            cursor.execute(_RECOUNT, {"id": group.pk, "parts": parts, "final": sorted(FINAL)})


def _follow(
    found: Surroundings,
    *,
    chain: Iterable[Mapping[str, Any]] | None,
    chord: Mapping[str, Any] | None,
    group_id: str | None,
) -> None:
    for step in chain or ():
        _wait(found, step)
    if chord and group_id:
        found.chords.add(group_id)
        _wait(found, chord)


def _wait(found: Surroundings, signature: Mapping[str, Any]) -> None:
    """Add a signature that has not been sent, and what waits for that."""
    options, kwargs = signature["options"], signature.get("kwargs") or {}
    if job_id := options.get("task_id"):
        found.following.add(job_id)
    match signature.get("subtask_type"):
        case "chord":
            _wait(found, kwargs["body"])
        case "chain" | "group":
            for each in kwargs["tasks"]:
                _wait(found, each)
    _follow(found, chain=options.get("chain"), chord=options.get("chord"), group_id=options.get("group_id"))


def _parts(result: Any) -> Iterator[str]:
    """Ids of the jobs that a saved `GroupResult` joins; Celery's JSON is ((id, parent), children or None)."""
    (job_id, _parent), children = result
    if children is None:
        yield job_id
    for child in children or ():
        yield from _parts(child)

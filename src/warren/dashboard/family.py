"""The jobs around a job: the rest of its chain, group and chord, and what was submitted from inside of them.

All by indexes: the root's jobs, the group's, and those that the job's own message names. What has not been sent has no
row yet; the message knows it all the same.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet

from warren.delivery.models import Job

MOST = 60  # of each kind; a drawing of more says nothing
_COLUMNS = ("id", "task", "state", "root_id", "parent_id", "group_id", "created_at")


@dataclass(frozen=True, kw_only=True)
class Relative:
    """One job of the family; `state` is "" for one that was not sent yet. `after` are ids that it came from."""

    id: str
    task: str
    state: str = ""
    after: set[str] = field(default_factory=set)
    group_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Family:
    """In the order in which they were accepted; `more`: not all of them are here."""

    relatives: list[Relative]
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A step that a message names: what is to be sent when those it is `after` have succeeded."""

    id: str
    task: str
    after: frozenset[str]


def of(job: Job, *, jobs: QuerySet[Job]) -> Family:
    """The family of a job, as far as it is among `jobs`. Four queries at most, however many they are."""
    root = job.root_id or job.pk
    by_root = _take(jobs.filter(Q(root_id=root), ~Q(root_id=F("id"))))
    # a chord's body has the last of its parts for its root
    first = list(jobs.filter(pk__in={root, job.parent_id} - {"", job.pk}).only(*_COLUMNS))
    groups = {each.group_id for each in [*by_root, *first, job] if each.group_id}
    by_group = _take(jobs.filter(group_id__in=groups).exclude(group_id=""))
    steps = list(_steps(job, [each.pk for each in by_group if each.group_id == job.group_id]))
    by_id = list(jobs.filter(pk__in=[step.id for step in steps]).only(*_COLUMNS))
    found = {each.pk: each for each in [*by_root, *first, *by_group, *by_id, job]}
    return Family(relatives=_joined(found, steps), more=max(len(by_root), len(by_group)) >= MOST)


def _take(jobs: QuerySet[Job]) -> list[Job]:
    return list(jobs.only(*_COLUMNS).order_by()[:MOST])


def _steps(job: Job, siblings: Iterable[str]) -> Iterator[_Step]:
    """What the job's message says is to follow: the rest of its chain, and the body of the chord that it is part of."""
    if not job.message:
        return
    embed: Mapping[str, Any] = json.loads(job.message)["embed"]
    last = job.pk
    for signature in reversed(embed.get("chain") or ()):
        step = _step(signature, after=frozenset({last}))
        if step:
            yield step
            last = step.id
    if chord := embed.get("chord"):
        step = _step(chord, after=frozenset({last, *siblings}))
        if step:
            yield step


def _step(signature: Mapping[str, Any], *, after: frozenset[str]) -> _Step | None:
    job_id = signature.get("options", {}).get("task_id")
    return _Step(id=job_id, task=signature.get("task", ""), after=after) if job_id else None


def _joined(found: Mapping[str, Job], steps: Iterable[_Step]) -> list[Relative]:
    relatives = {
        job.pk: Relative(
            id=job.pk,
            task=job.task,
            state=job.state,
            after={job.parent_id} & found.keys() - {job.pk},
            group_id=job.group_id,
        )
        for job in sorted(found.values(), key=lambda job: (job.created_at, job.pk))
    }
    for step in steps:
        relatives.setdefault(step.id, Relative(id=step.id, task=step.task)).after.update(step.after)
    _let_bodies_follow_all_parts(relatives)
    return list(relatives.values())


def _let_bodies_follow_all_parts(relatives: Mapping[str, Relative]) -> None:
    """A chord's body was sent by the last of its parts, and came from them all."""
    for relative in relatives.values():
        groups = {relatives[each].group_id for each in relative.after if each in relatives} - {"", relative.group_id}
        relative.after.update(each.id for each in relatives.values() if each.group_id in groups)
        relative.after.discard(relative.id)

"""Pages of jobs, newest first, at a bounded cost however many there are.

What an index finds (a state that people look for, a time, a person's own jobs) is found wherever it is. What no index
knows, part of a text above all, is looked for among so many of those at a time: the page says how far it has looked,
and its `older` goes on from there. So nothing is hidden, and no page reads the whole table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from warren.dashboard.wording import MOST
from warren.delivery.models import Job
from warren.delivery.states import OPEN, State
from warren.jobs import filters

SIZE = 50
LOOKED_AT = 5_000  # jobs that one page reads at most, where no index helps
NEWEST_FIRST = ("-created_at", "-id")

# the states that an index knows; all others are those of most jobs
_INDEXED = frozenset({*OPEN, State.FAILED, State.DEAD})
_BY_TIME = frozenset({"created_after", "created_before"})
_HEAVY = ("arguments", "message", "result", "traceback")


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """`older` is where the next page begins, "" at the end; `looked_until` how far a search went, None if to the end.

    `count` stops above `wording.MOST`; it counts all pages, or, of a search, as far as this page has looked.
    """

    jobs: list[Job]
    count: int
    older: str = ""
    looked_until: datetime | None = None


def page(jobs: QuerySet[Job], *, wanted: Mapping[str, Any], before: str = "") -> JobPage:
    """The first jobs after the place `before` that a validated filter matches. A place that is none is the start."""
    place = _place(before)
    found = filters.narrowed(jobs, wanted=wanted)
    end = None
    known = _known_to_an_index(wanted)
    if known != wanted:
        end = _end_of_look(_after(filters.narrowed(jobs, wanted=known), place))
        found = _after(found, place)
        counted = found = found.filter(created_at__gte=end.created_at) if end else found
    else:
        counted, found = found, _after(found, place)
    rows = list(found.defer(*_HEAVY).order_by(*NEWEST_FIRST)[: SIZE + 1])
    shown, more = rows[:SIZE], len(rows) > SIZE
    # a search that finds little has read all that it may; to count would be to read it again
    is_all = not more and counted is found
    count = len(rows) if is_all else counted.order_by()[: MOST + 1].count()
    last = shown[-1] if more else end
    return JobPage(
        jobs=shown,
        count=count,
        older=_name(last) if last else "",
        looked_until=end.created_at if end and not more else None,
    )


def oldest(jobs: QuerySet[Job], *, wanted: Mapping[str, Any], states: tuple[State, ...]) -> QuerySet[Job]:
    """The oldest jobs, `LOOKED_AT` at most, in the filter's state or these; what it says of texts is not asked.

    It bounds what a bulk action reads. See `are_more` too.
    """
    return jobs.filter(pk__in=_by_age(jobs, wanted=wanted, states=states).values("pk")[:LOOKED_AT])


def are_more(jobs: QuerySet[Job], *, wanted: Mapping[str, Any], states: tuple[State, ...]) -> bool:
    """Whether there are more such jobs than `oldest` gives."""
    return _by_age(jobs, wanted=wanted, states=states).order_by()[LOOKED_AT : LOOKED_AT + 1].exists()


def _by_age(jobs: QuerySet[Job], *, wanted: Mapping[str, Any], states: tuple[State, ...]) -> QuerySet[Job]:
    known = {name: value for name, value in wanted.items() if name != "search"}
    return filters.narrowed(jobs, wanted=known, states=states).order_by("created_at", "id")


def _known_to_an_index(wanted: Mapping[str, Any]) -> dict[str, Any]:
    names = set(_BY_TIME)
    if wanted.get("state") in _INDEXED:
        names.add("state")
    if wanted.get("state") in OPEN:
        names.add("queue")
    return {name: value for name, value in wanted.items() if name in names}


def _end_of_look(jobs: QuerySet[Job]) -> Job | None:
    """The last job that this page reads; None if it reads them all."""
    return jobs.only("created_at").order_by(*NEWEST_FIRST)[LOOKED_AT : LOOKED_AT + 1].first()


def _after(jobs: QuerySet[Job], place: tuple[datetime, str] | None) -> QuerySet[Job]:
    if place is None:
        return jobs
    created_at, job_id = place
    # the first condition is implied by the second, and is what the index is entered by
    return jobs.filter(
        Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=job_id), created_at__lte=created_at
    )


def _name(job: Job) -> str:
    return f"{job.created_at.isoformat()},{job.pk}"


def _place(name: str) -> tuple[datetime, str] | None:
    moment, _, job_id = name.partition(",")
    try:
        created_at = parse_datetime(moment)
    except ValueError:
        return None
    known = created_at is not None and created_at.tzinfo is not None and "\x00" not in job_id
    return (created_at, job_id) if created_at and known else None

"""The processes behind the queues, as far as Postgres knows them: workers, the beat that leads, the relay's lag."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count

from warren.dashboard.wording import MOST
from warren.delivery import outbox_figures
from warren.delivery.leases import LEASE_S
from warren.delivery.models import Job, Worker
from warren.delivery.states import State, in_states
from warren.scheduling.leader import STALE_AFTER
from warren.scheduling.models import ScheduleLeader

LATE = timedelta(seconds=5)  # a relay that runs sends what is due within milliseconds

_DATABASE = """
SELECT current_setting('server_version'), current_setting('max_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       pg_database_size(current_database())
"""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The beat that leads; one that was not seen for a while does not any more."""

    name: str
    since: datetime
    seen_at: datetime
    leads: bool


@dataclass(frozen=True, kw_only=True)
class RelayLag:
    """Messages that are due and not sent yet, capped, and for how long the oldest is."""

    due: int
    lag: timedelta

    @property
    def is_late(self) -> bool:
        return self.lag > LATE


@dataclass(frozen=True, kw_only=True)
class Database:
    """Postgres, which has just answered."""

    version: str
    connections: int
    most_connections: int
    size_bytes: int


def workers(*, now: datetime) -> list[Any]:
    """Workers whose lease holds, each with `busy`, how many jobs run in it. Two queries."""
    alive: list[Any] = list(
        Worker.objects.filter(seen_at__gt=now - timedelta(seconds=LEASE_S)).order_by("name", "started_at")
    )
    running = Job.objects.filter(in_states(State.RUNNING)).order_by().values_list("lease")
    counted: Any = running.annotate(jobs=Count("pk"))
    busy: dict[Any, int] = dict(counted)
    for worker in alive:
        worker.busy = busy.get(worker.pk, 0)
    return alive


def beat(*, now: datetime) -> Beat | None:
    """Who leads the schedule, or did last; None if no beat ever did."""
    row = ScheduleLeader.objects.first()
    if row is None:
        return None
    return Beat(name=row.name, since=row.since, seen_at=row.seen_at, leads=now - row.seen_at <= STALE_AFTER)


def relay_lag() -> RelayLag:
    """What waits for the relay. One query."""
    with connection.cursor() as cursor:
        due = outbox_figures.due(cursor, most=MOST + 1)
    return RelayLag(due=due.count, lag=timedelta(seconds=due.oldest_wait_s))


def database() -> Database:
    """How Postgres stands."""
    with connection.cursor() as cursor:
        cursor.execute(_DATABASE)
        version, most, connections, size = cursor.fetchone()
    return Database(version=version.split()[0], connections=connections, most_connections=most, size_bytes=size)

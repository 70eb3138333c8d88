"""The workers, by the leases that they renew in Postgres."""

from warren.config.queues import QUEUES
from warren.delivery.leases import LEASE_S
from warren.doctor import postgres
from warren.doctor.checks.schema import MIGRATED
from warren.doctor.commands import restart, start
from warren.doctor.finding import Check, Finding, fail, ok, warn
from warren.jobs.spans import in_words

ALIVE = "workers.alive"
# the relay looks every ten seconds; after three times nobody does
NOBODY_LOOKS_S = LEASE_S + 30

_WORKERS = """
SELECT name, pool, concurrency, queues, extract(epoch FROM now() - seen_at)::float8 AS silent_s
FROM warren_worker ORDER BY name, seen_at DESC
"""
_HELD = """
SELECT coalesce(worker.name, job.worker), count(*),
       max(extract(epoch FROM now() - coalesce(worker.seen_at, job.started_at)))::float8
FROM warren_job AS job LEFT JOIN warren_worker AS worker ON worker.id = job.lease
WHERE job.finished_at IS NULL AND job.state = 'running' AND job.message <> ''
  AND job.lease IS DISTINCT FROM '00000000-0000-0000-0000-000000000000'
  AND (worker.id IS NULL OR worker.seen_at < now() - %(lease_s)s * interval '1s')
  AND job.started_at < now() - %(lease_s)s * interval '1s'
GROUP BY 1 ORDER BY 2 DESC LIMIT 3
"""


def alive() -> Finding:
    """Every queue has a worker that lives. One that fell silent since is told of for a day."""
    with postgres.asked() as asked:
        rows = asked.execute(_WORKERS).fetchall()
    alive = [row for row in rows if row[4] < LEASE_S]
    served = {queue for _, _, _, queues, _ in alive for queue in queues.split(",")}
    if unserved := [spec for spec in QUEUES if spec.name not in served]:
        services = " ".join(sorted({f"worker-{spec.worker}" for spec in unserved}))
        without = ", ".join(spec.name for spec in unserved)
        return fail(f"no worker for {without} has renewed its lease within {LEASE_S} s", do=start(services))
    told = "; ".join(f"{name}: {pool} of {size} for {queues}" for name, pool, size, queues, _ in alive)
    names = {name for name, *_ in alive}
    if silent := [row for row in rows if row[4] >= LEASE_S and row[0] not in names]:
        lost = ", ".join(f"{row[0]} for {in_words(row[4])}" for row in silent[:3])
        do = "If it was stopped on purpose: nothing, it is forgotten after a day. Else: docker compose ps --all"
        return warn(f"{told}; silent: {lost}", do=do)
    return ok(told)


def held() -> Finding:
    """What a worker that is gone had, the relay gives to others within seconds after its lease has run out."""
    with postgres.asked() as asked:
        rows = asked.execute(_HELD, {"lease_s": LEASE_S}).fetchall()
    if not rows:
        return ok("no job is held by a worker that is gone")
    told = "; ".join(f"{count} by {name}, silent for {in_words(silent_s)}" for name, count, silent_s in rows)
    do = restart("relay")
    if any(silent_s > NOBODY_LOOKS_S for _, _, silent_s in rows):
        return fail(f"jobs held by workers that are gone: {told}; the relay should have sent them again", do=do)
    return warn(f"jobs held by workers that are gone: {told}; the relay sends them again within seconds", do=do)


CHECKS = (
    Check(name=ALIVE, examine=alive, needs=(MIGRATED,)),
    Check(name="workers.held_jobs", examine=held, needs=(MIGRATED,)),
)

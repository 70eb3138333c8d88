"""Opens streams, lets jobs end, and tells when each stream heard of it: `python -m benchmarks.streams.watch`.

Three stories, a line of JSON for each:

    a job each, 50 a second   the jobs end one after the other, as on a busy day
    a job each, all at once   all are due at the same moment; the worker, not web, decides how fast they end
    one job                   everybody follows the same
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django

django.setup()

from apps.bench import tasks  # type: ignore[import-untyped]  # noqa: E402  needs Django, and is mounted among the apps
from django.contrib.auth import get_user_model  # noqa: E402  needs Django
from rest_framework.authtoken.models import Token  # noqa: E402  needs Django

from benchmarks.streams import processes  # noqa: E402  beside its peers
from benchmarks.streams.reader import Reader  # noqa: E402  beside its peers
from warren.delivery import outbox  # noqa: E402  needs Django
from warren.delivery.models import Job  # noqa: E402  needs Django

OPENS_WITHIN_S = 60.0  # the jobs wait for the streams
AT_ONCE = 20  # handshakes at the same time
RATE = 50.0
WARM_UP_S = 3.0  # later than its stream is open
ENDS_WITHIN_S = 180.0


def main() -> None:
    """Run all stories."""
    parser = argparse.ArgumentParser(prog="watch")
    parser.add_argument("--way", choices=("events", "websocket"), required=True)
    parser.add_argument("--streams", type=int, required=True)
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # staff may follow what others have submitted
    user, _ = get_user_model().objects.get_or_create(email="bench@example.com", defaults={"is_staff": True})
    token = Token.objects.get_or_create(user=user)[0].key
    _tell("warm-up", [_submit(WARM_UP_S)], Watcher(given.way, token), streams=1, shown=False)
    stories: dict[str, Callable[[], list[str]]] = {
        f"a job each, {RATE:.0f} a second": lambda: _submit_many(given.streams, pace_s=1 / RATE),
        "a job each, all at once": lambda: _submit_many(given.streams, pace_s=0.0),
        "one job": lambda: [_submit(OPENS_WITHIN_S)],
    }
    for name, submit in stories.items():
        _tell(name, submit(), Watcher(given.way, token), streams=given.streams)


class Watcher:
    """Opens streams and reads them to their end."""

    def __init__(self, way: str, token: str) -> None:
        self._way, self._token = way, token
        self.opened_s = self.open_mb = 0.0

    async def heard(self, job_ids: Sequence[str]) -> list[tuple[str, float]]:
        """For each stream its job, and when its final state came."""
        started = time.perf_counter()
        readers = [Reader(job_id, way=self._way, token=self._token) for job_id in job_ids]
        turn = asyncio.Semaphore(AT_ONCE)

        async def open_in_turn(reader: Reader) -> None:
            async with turn:
                await reader.open()

        await asyncio.gather(*(open_in_turn(each) for each in readers))
        self.opened_s = time.perf_counter() - started
        reading = [asyncio.create_task(each.until_final()) for each in readers]
        await asyncio.sleep(1)
        self.open_mb = processes.memory_mb()
        return list(zip(job_ids, await asyncio.wait_for(asyncio.gather(*reading), ENDS_WITHIN_S), strict=True))


def _tell(name: str, job_ids: list[str], watcher: Watcher, *, streams: int, shown: bool = True) -> None:
    followed = job_ids if len(job_ids) == streams else job_ids * streams
    before_mb, before_s = processes.memory_mb(), processes.cpu_s()
    heard = asyncio.run(watcher.heard(followed))
    cpu_s = processes.cpu_s() - before_s
    jobs = Job.objects.filter(pk__in=job_ids, state="succeeded")
    ended = {job.pk: job.finished_at for job in jobs if job.finished_at}
    told: dict[str, Any] = {
        "story": name,
        "streams": streams,
        "opened_s": watcher.opened_s,
        "before_mb": before_mb,
        "open_mb": watcher.open_mb,
        "cpu_s": cpu_s,
        # a KeyError here: a stream told of an end that is none
        "latencies_ms": [round(1000 * (at - ended[job_id].timestamp()), 3) for job_id, at in heard],
    }
    if shown:
        sys.stdout.write(json.dumps(told) + "\n")


def _submit(delay_s: float) -> str:
    return str(tasks.echo.apply_async((1,), countdown=delay_s).id)


def _submit_many(count: int, *, pace_s: float) -> list[str]:
    with outbox.together():
        return [_submit(OPENS_WITHIN_S + number * pace_s) for number in range(count)]


if __name__ == "__main__":
    main()

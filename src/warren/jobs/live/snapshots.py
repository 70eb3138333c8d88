"""A job as its followers see it at one moment."""

import json
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import batched

from django.db.models import Case, F, TextField, Value, When

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.serializers import JobSerializer

# What may be large and never changes, or is asked for when the job has ended.
LEFT_OUT = frozenset({"args", "kwargs", "result", "history"})
READ_AT_ONCE = 500  # rows; a statement's list of ids stays short

# the errors of jobs that failed, without the results of those that did not
_FAILURE = Case(
    When(state__in=(State.FAILED, State.DEAD), then=F("result")), default=Value(None), output_field=TextField(null=True)
)


class LiveJobSerializer(JobSerializer):
    """A job as /api/jobs/<id>/ shows it, without its arguments, result and history; links are without a host."""

    class Meta(JobSerializer.Meta):
        fields = tuple(name for name in JobSerializer.Meta.fields if name not in LEFT_OUT)
        read_only_fields = fields


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What was read of a job."""

    job: Job

    @property
    def is_final(self) -> bool:
        return self.job.is_final

    @cached_property
    def version(self) -> str:
        """The same for as long as the job is the same, in every process."""
        job = self.job
        told = (job.state, job.attempt, job.progress, job.worker, job.priority, job.owner_id, job.expires_at)
        moments = (job.available_at, job.started_at, job.finished_at)
        return blake2b(repr((told, moments)).encode(), digest_size=8).hexdigest()

    def earlier(self, state: State, *, attempt: int) -> "Snapshot":
        """The job when it had this state, which it has left: as far as its row still says. One, however many ask."""
        key = state, attempt
        if key not in self._earlier:
            job = copy(self.job)
            job.state, job.attempt = state, attempt
            job.finished_at, job.result, job.traceback = None, None, ""
            if state != State.RUNNING or attempt != self.job.attempt:
                job.worker, job.started_at, job.progress = "", None, None
            self._earlier[key] = Snapshot(job)
        return self._earlier[key]

    @cached_property
    def _earlier(self) -> dict[tuple[State, int], "Snapshot"]:
        return {}

    @cached_property
    def text(self) -> str:
        """`LiveJobSerializer`'s, as JSON in one line. Written once, however many follow the job."""
        return json.dumps(_serializer.to_representation(self.job), separators=(",", ":"))


def read(job_ids: Collection[str]) -> dict[str, Snapshot]:
    """The jobs that there are, of these ids; one query for each 500."""
    # Postgres takes no NUL in a text, so no id holds one
    askable = [job_id for job_id in job_ids if "\x00" not in job_id]
    found: dict[str, Snapshot] = {}
    for some in batched(askable, READ_AT_ONCE, strict=False):
        rows = Job.objects.filter(pk__in=some).order_by().annotate(failure=_FAILURE)
        for job in rows.defer("arguments", "message", "result"):
            job.result = job.failure
            found[job.pk] = Snapshot(job)
    return found


# made once: to make its fields costs more than to use them
_serializer = LiveJobSerializer(context={"request": None})

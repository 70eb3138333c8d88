"""The job and its way to the broker, as rows."""

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from warren.delivery.envelope import Envelope
from warren.delivery.states import FINAL, TO_CELERY, State


class Job(models.Model):
    """One accepted piece of work. Its row is the truth about it; messages are only how workers hear of it.

    `message` is all that the relay needs to publish, so that a job can be sent again whatever became of its message; ""
    for a job that will never be sent: the rest of a chain that failed.

    `arguments`, `result` and `progress` hold JSON as text, exactly as Celery's serializer wrote it: Postgres' jsonb
    refuses values that JSON as Python writes it allows (NaN, \\u0000), and a result must never be refused.

    `lease` is the `Worker` whose attempt this is, and `message_id` the message that it came with; `losses` counts the
    attempts that ended with their worker.

    Postgres may take any index whose condition follows from a statement's, and takes that of the open jobs to be tiny
    when they were few at the last ANALYZE. So its condition is not the state: a claim, which names its jobs and their
    states, must never read all that wait (`states.in_states` is for those who want to).
    """

    id = models.CharField(primary_key=True, max_length=255)
    task = models.CharField(max_length=255)
    queue = models.CharField(max_length=255)
    owner = models.ForeignKey(  # its index is `warren_job_of_owner`
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs", db_index=False
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACCEPTED)
    attempt = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(db_default=0)
    message_id = models.CharField(max_length=255, db_default="")
    worker = models.CharField(max_length=255, default="")
    lease = models.UUIDField(null=True)
    priority = models.PositiveSmallIntegerField(null=True)
    arguments = models.TextField(default="[[], {}]")
    message = models.TextField(default="")
    progress = models.TextField(null=True)  # noqa: DJ001  null is "never reported", "" would not be JSON
    result = models.TextField(null=True)  # noqa: DJ001  null is "none yet", "" would not be JSON
    traceback = models.TextField(default="")
    root_id = models.CharField(max_length=255, default="")
    parent_id = models.CharField(max_length=255, default="")
    group_id = models.CharField(max_length=255, default="")
    created_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "warren_job"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["owner", "-created_at", "-id"], name="warren_job_of_owner"),
            models.Index(fields=["-created_at", "-id"], name="warren_job_newest"),
            models.Index(
                fields=["finished_at"], name="warren_job_finished", condition=models.Q(finished_at__isnull=False)
            ),
            models.Index(
                fields=["queue", "state"], name="warren_job_unfinished", condition=models.Q(finished_at__isnull=True)
            ),
            models.Index(
                fields=["queue"],
                name="warren_job_suspect",
                condition=models.Q(finished_at__isnull=True) & models.Q(losses__gt=0),
            ),
            # what people look for; a job that goes well never enters these
            models.Index(
                fields=["-created_at", "-id"],
                name="warren_job_failed",
                condition=models.Q(state__in=(State.FAILED, State.DEAD)),
            ),
            models.Index(fields=["root_id"], name="warren_job_family", condition=~models.Q(root_id=models.F("id"))),
            models.Index(fields=["group_id"], name="warren_job_group", condition=~models.Q(group_id="")),
            models.Index(fields=["queue"], name="warren_job_dead", condition=models.Q(state=State.DEAD)),
        )
        constraints = (
            models.CheckConstraint(
                name="warren_job_open_is_not_finished",
                condition=models.Q(finished_at__isnull=True) | models.Q(state__in=sorted(FINAL)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.id} ({self.state})"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def celery_state(self) -> str:
        return TO_CELERY[State(self.state)]

    @property
    def envelope(self) -> Envelope:
        """The message to publish. Raises `ValueError` or `TypeError` if the job holds none."""
        return Envelope.from_json(self.message, arguments=self.arguments)

    @property
    def headers(self) -> dict[str, Any]:
        """Those of the message; none if the job holds no message."""
        try:
            return dict(self.envelope.headers)
        except (ValueError, TypeError, KeyError):
            return {}

    @property
    def args(self) -> list[Any]:
        return list(json.loads(self.arguments)[0])

    @property
    def kwargs(self) -> dict[str, Any]:
        return dict(json.loads(self.arguments)[1])


class OutboxMessage(models.Model):
    """A job whose message RabbitMQ has not confirmed yet. The relay deletes it when it has."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="+")
    available_at = models.DateTimeField(db_default=Now())
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(default="")

    class Meta:
        db_table = "warren_outbox"
        indexes = (
            models.Index(fields=["available_at", "id"], name="warren_outbox_due"),
            models.Index(fields=["id"], name="warren_outbox_refused", condition=models.Q(failures__gt=0)),
        )

    def __str__(self) -> str:
        return f"message of job {self.job_id}"


class BrokerMark(models.Model):
    """The mark that the relay left in the broker, one row: a broker without it has lost what it had (`wipe.py`)."""

    name = models.CharField(max_length=64)
    left_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "warren_broker"

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A worker process, for as long as it renews `seen_at` (`leases.py`); each start of one is a new row.

    `suspicion`, of one that was lost: the most losses that a job had which ran in it, or `losses.NOBODY`.
    """

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=255)
    pool = models.CharField(max_length=255)
    concurrency = models.PositiveIntegerField()
    queues = models.TextField()
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    suspicion = models.PositiveSmallIntegerField(null=True)

    class Meta:
        db_table = "warren_worker"

    def __str__(self) -> str:
        return f"{self.name} ({self.pool})"


class ResultGroup(models.Model):
    """A saved `GroupResult`: Celery's own JSON of it, for `GroupResult.restore` and chords."""

    id = models.CharField(primary_key=True, max_length=255)
    result = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "warren_result_group"

    def __str__(self) -> str:
        return self.id


class Chord(models.Model):
    """How many parts of a chord have returned. `size` is null until Celery tells it."""

    id = models.CharField(primary_key=True, max_length=255)
    returned = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "warren_chord"

    def __str__(self) -> str:
        return f"{self.id}: {self.returned} of {self.size}"


class JobEvent(models.Model):
    """Something out of the ordinary that happened to a job; `history.py` writes it, nobody changes it.

    `attempt` to `traceback` are the job's own at that moment: how a retried job had ended stays readable here.
    """

    class Kind(models.TextChoices):
        RETRIED = "retried"  # by hand; the state, result and traceback are those of its former end
        CANCELLED = "cancelled"
        LOST = "lost"  # the attempt's worker is gone
        ATTEMPT_FAILED = "attempt_failed"  # the attempt asked for another
        DEAD = "dead"
        CLONED = "cloned"  # a person submitted it anew; the reason names the new job

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=255, default="")
    reason = models.TextField(default="")
    attempt = models.PositiveIntegerField()
    worker = models.CharField(max_length=255, default="")
    state = models.CharField(max_length=16, choices=State.choices)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.TextField(null=True)  # noqa: DJ001  as the job's
    traceback = models.TextField(default="")

    class Meta:
        db_table = "warren_job_event"
        ordering = ("job", "id")

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id} at {self.at}"


class IdempotencyKey(models.Model):
    """A key that a caller chose, and what was first submitted with it (`idempotency.py`).

    `job_ids` are all jobs of a batch, in order, as JSON; `job` is the first of them, with which the row is deleted.
    """

    key = models.CharField(max_length=255)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    # Postgres itself cascades: the migration makes the constraint
    job = models.OneToOneField(Job, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    job_ids = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "warren_idempotency_key"
        constraints = (
            models.UniqueConstraint(fields=["key", "owner"], nulls_distinct=False, name="warren_idempotency_key_once"),
        )

    def __str__(self) -> str:
        return f"{self.key!r} of {self.owner_id}: job {self.job_id}"

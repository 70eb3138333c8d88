"""No sequence of submits, claims, finishes, crashes, retries and cancels breaks an invariant; and every job ends.

Hypothesis chooses the sequences. The model keeps only what Postgres does not: the messages in a broker, which may be
lost or come twice, and which worker believes that it runs what.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from celery import shared_task
from celery.exceptions import TaskRevokedError
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from warren.delivery import claim, endings, history, leases, outcomes, reconciler, retry
from warren.delivery.models import Job, JobEvent, OutboxMessage, Worker
from warren.delivery.outcomes import Success
from warren.delivery.states import FINAL, State

WORKERS = 3
FEW = 3  # jobs, so that what happens meets
EXAMPLES, STEPS = 40, 50
LONG_AGO = timedelta(hours=1)
EVERYBODY = history.Actor(label="a test")


@shared_task(name="machine.effect", queue="cpu")
def effect() -> None:
    """Never run: the machine plays the worker."""


@dataclass
class Running:
    """What a worker believes."""

    job_id: str
    attempt: int


@dataclass
class Process:
    """A worker process: one row of `warren_worker`, dead when it is not renewed."""

    lease: UUID = field(default_factory=uuid4)
    runs: list[Running] = field(default_factory=list)

    def __post_init__(self) -> None:
        Worker.objects.create(id=self.lease, name="worker", pool="prefork", concurrency=1, queues="cpu")


class Machine(RuleBasedStateMachine):
    """Rules are what may happen; invariants are architecture.md's."""

    @initialize()
    def start(self) -> None:
        for model in (JobEvent, OutboxMessage, Job, Worker, Group):
            model.objects.all().delete()
        self.broker: list[tuple[str, bool]] = []  # a job's id, and whether the message was handed out before
        self.processes = [Process() for _ in range(WORKERS)]
        self.ended: dict[str, str] = {}

    @precondition(lambda _self: Job.objects.count() < FEW)
    @rule()
    def submit(self) -> None:
        effect.delay()

    @rule()
    def relay(self) -> None:
        """Publishes what is due; a crash before the delete would only publish it twice (`deliver_twice`)."""
        due = list(OutboxMessage.objects.filter(available_at__lte=timezone.now() + LONG_AGO).order_by("id"))
        for message in due:
            job = Job.objects.get(pk=message.job_id)
            if not job.is_final:
                self.broker.append((job.pk, False))
                Job.objects.filter(pk=job.pk, state=State.ACCEPTED).update(state=State.QUEUED)
                Job.objects.filter(pk=job.pk).update(queued_at=timezone.now() - LONG_AGO, available_at=job.created_at)
            message.delete()

    @precondition(lambda self: self.broker)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.broker) - 1))
        self._claim(self.broker.pop(place), data)

    @precondition(lambda self: self.broker)
    @rule(data=st.data())
    def deliver_twice(self, data: st.DataObject) -> None:
        self._claim(data.draw(st.sampled_from(self.broker)), data)

    @precondition(lambda self: self.broker)
    @rule()
    def wipe(self) -> None:
        self.broker.clear()

    @precondition(lambda self: any(process.runs for process in self.processes))
    @rule(data=st.data(), succeeds=st.booleans())
    def finish(self, data: st.DataObject, succeeds: bool) -> None:  # noqa: FBT001  hypothesis passes it by name
        process = data.draw(st.sampled_from([each for each in self.processes if each.runs]))
        running = process.runs.pop(0)
        if succeeds:
            self._succeed(running)
        else:
            _fail(running)

    @rule(data=st.data(), broker_has_it=st.booleans())
    def crash(self, data: st.DataObject, broker_has_it: bool) -> None:  # noqa: FBT001  as above
        """A worker dies: its lease is renewed no more, its messages come back, if the broker has them still."""
        place = data.draw(st.integers(0, WORKERS - 1))
        dead, self.processes[place] = self.processes[place], Process()
        Worker.objects.filter(pk=dead.lease).update(seen_at=timezone.now() - LONG_AGO)
        Job.objects.filter(lease=dead.lease).update(started_at=timezone.now() - LONG_AGO)
        if broker_has_it:
            self.broker += [(running.job_id, True) for running in dead.runs]

    @precondition(lambda self: any(process.runs for process in self.processes))
    @rule(data=st.data())
    def cut_off_from_postgres(self, data: st.DataObject) -> None:
        """A worker is thought dead and goes on: it will finish attempts that were taken from it."""
        process = data.draw(st.sampled_from([each for each in self.processes if each.runs]))
        Worker.objects.filter(pk=process.lease).update(seen_at=timezone.now() - LONG_AGO)
        Job.objects.filter(lease=process.lease).update(started_at=timezone.now() - LONG_AGO)

    @precondition(lambda self: any(process.runs for process in self.processes))
    @rule(data=st.data())
    def cut_off_from_the_broker(self, data: st.DataObject) -> None:
        """Its messages are delivered to others, and it goes on."""
        process = data.draw(st.sampled_from([each for each in self.processes if each.runs]))
        self.broker += [(running.job_id, True) for running in process.runs]

    @rule()
    def reconcile(self) -> None:
        reconciler.run(lambda _queue: len(self.broker), now=timezone.now())

    @precondition(lambda _self: Job.objects.exists())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(list(Job.objects.order_by("created_at", "pk"))))
        with transaction.atomic():
            endings.end(Job.objects.select_for_update().get(pk=job.pk), state=State.CANCELLED, error=TaskRevokedError())

    @precondition(lambda self: self.ended)
    @rule(data=st.data())
    def retry_by_hand(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.ended)))
        if job_id in retry.retry([job_id], by=EVERYBODY).retried:
            del self.ended[job_id]

    @invariant()
    def a_final_state_stays(self) -> None:
        now = dict(Job.objects.filter(pk__in=self.ended).values_list("pk", "state"))
        assert now == self.ended
        self.ended |= dict(Job.objects.filter(state__in=FINAL).values_list("pk", "state"))

    @invariant()
    def an_effect_is_there_once_if_and_only_if_its_job_succeeded(self) -> None:
        succeeded = set(Job.objects.filter(state=State.SUCCEEDED).values_list("pk", flat=True))
        effects = [name.split()[0] for name in Group.objects.values_list("name", flat=True)]
        assert Counter(effects) == Counter(succeeded)

    @invariant()
    def losses_are_bounded(self) -> None:
        assert not Job.objects.filter(losses__gte=6).exists()

    def teardown(self) -> None:
        """Whatever happened, what is accepted becomes final when the faults end."""
        if not hasattr(self, "broker"):
            return
        for process in self.processes:
            process.runs.clear()
        self.cut_off_all()
        for _ in range(10):
            self.relay()
            for job_id, redelivered in self.broker:
                for running in _taken(job_id, redelivered=redelivered, by=self.processes[0]):
                    self._succeed(running)
            self.broker.clear()
            reconciler.run(lambda _queue: 0, now=timezone.now())
        assert not Job.objects.exclude(state__in=FINAL).exists()
        self.an_effect_is_there_once_if_and_only_if_its_job_succeeded()

    def cut_off_all(self) -> None:
        """Every worker is gone."""
        Worker.objects.update(seen_at=timezone.now() - LONG_AGO)
        Job.objects.filter(state=State.RUNNING).update(started_at=timezone.now() - LONG_AGO)
        self.processes = [Process() for _ in range(WORKERS)]

    def _claim(self, message: tuple[str, bool], data: st.DataObject) -> None:
        job_id, redelivered = message
        process = data.draw(st.sampled_from(self.processes))
        process.runs += _taken(job_id, redelivered=redelivered, by=process)

    def _succeed(self, running: Running) -> None:
        """A transactional task: effect and outcome in one transaction, or neither."""
        with transaction.atomic():
            Group.objects.create(name=f"{running.job_id} {uuid4()}")
            if not outcomes.succeed(Success(running.job_id, running.attempt, "null")):
                transaction.set_rollback(True)


def _taken(job_id: str, *, redelivered: bool, by: Process) -> Iterator[Running]:
    """What a worker does with a message: at the limit of losses it gives the job up."""
    before, leases.current = leases.current, by.lease
    try:
        for taken_id, taken in claim.take_all({job_id: redelivered}, worker="worker").items():
            if taken.losses < 5:
                yield Running(taken_id, taken.attempt)
            else:
                with transaction.atomic():
                    endings.end(Job.objects.get(pk=taken_id), state=State.DEAD, error=RuntimeError("given up"))
    finally:
        leases.current = before


def _fail(running: Running) -> None:
    current = Job.objects.filter(pk=running.job_id, attempt=running.attempt, state=State.RUNNING)
    with transaction.atomic():
        if job := current.select_for_update().first():
            endings.end(job, state=State.FAILED, error=ValueError("broken"))


@pytest.mark.django_db(transaction=True)
def test_no_sequence_of_events_breaks_an_invariant() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,  # what fails in CI must fail here; `make soak` is for the unexpected
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a shorter sequence takes minutes to find, and says no more
        ),
    )

"""No sequence of events breaks an invariant; and every job ends when the faults do.

Hypothesis chooses the sequences. Claims, bodies, finishes, relay, reconciler, leases, cancel and retry by hand are the
product's own, against Postgres; played are what surrounds them: a broker, which may lose messages or deliver them
twice, and worker processes, which die, are cut off and go on. Each event is whole: two statements at the same moment,
greenlets' pools, dead letters, expiry and canvas are not played here; they have tests of their own.

What holds after every event:
    a final state changes only by a retry by hand
    effects of transactional tasks are there once if their job has succeeded, else not at all
    only whoever claimed last may finish
    a running job is taken only when the message that it came with is back, or its holder's lease has expired
    every attempt is accounted for: lost, asked for another, given up unharmed, or the one that counts
    the fifth loss, and nothing else, makes a job dead
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import TaskRevokedError
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from warren.delivery import endings, history, lease_rows, retry
from warren.delivery.expiry import WAITING
from warren.delivery.models import BrokerMark, Job, JobEvent, OutboxMessage, Worker
from warren.delivery.publisher import BrokerError
from warren.delivery.reconciler import GIVEN
from warren.delivery.relay import Relay
from warren.delivery.state_machine.conftest import Broker, Message, Process, Running, Verdict, plain, transactional
from warren.delivery.states import FINAL, State

WORKERS = 3
LIMIT = 5  # losses; not the product's own, so that a change of it is seen
FEW = 2  # open jobs at a time, so that what happens meets
EXAMPLES, STEPS = 30, 40
LONG_AGO = timedelta(hours=1)
EVERYBODY = history.Actor(label="a test")

# How often each is chosen where it is possible.
EVENTS = {
    "deliver": 6,
    "deliver_a_copy": 2,
    "give_back": 2,
    "finish": 5,
    "submit": 1,
    "relay_without_confirm": 1,
    "crash": 2,
    "crash_again_and_again": 1,
    "cut_off_from_postgres": 2,
    "cut_off_from_the_broker": 2,
    "wipe": 1,
    "lose_the_connection": 1,
    "stop": 1,
    "reconcile": 2,
    "cancel": 1,
    "retry_by_hand": 3,
}


@dataclass
class Life:
    """A job's attempts since it was submitted, or retried by hand after `before` of them."""

    before: int = 0
    asked: int = 0
    given_up: int = 0


class Machine(RuleBasedStateMachine):
    """One rule: hypothesis switches some of many off in each example, and then little meets."""

    @initialize()
    def start(self) -> None:
        for model in (JobEvent, OutboxMessage, Job, Worker, Group, BrokerMark):
            model.objects.all().delete()
        self.broker = Broker()
        self.relay = Relay(current_app, on_pass=lambda: None)
        self.relay._publisher = self.broker
        self.relay.look_for_wipe()
        self.processes = [Process() for _ in range(WORKERS)]
        self.ended: dict[str, str] = {}
        self.lives: dict[str, Life] = {}
        self.last_claim: dict[str, Running] = {}
        for task in (plain, transactional):
            self._submit(task)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        possible = [name for name, weight in EVENTS.items() if self._can(name) for _ in range(weight)]
        getattr(self, data.draw(st.sampled_from(possible), label="event"))(data)

    def _can(self, event: str) -> bool:
        match event:
            case "deliver" | "deliver_a_copy" | "give_back" | "crash_again_and_again":
                return bool(self.broker.messages)
            case "finish" | "crash" | "cut_off_from_postgres" | "cut_off_from_the_broker" | "lose_the_connection":
                return any(process.runs for process in self.processes)
            case "submit":
                return Job.objects.exclude(state__in=FINAL).count() < FEW
            case "retry_by_hand":
                return bool(self.ended)
        return True

    def submit(self, data: st.DataObject) -> None:
        self._submit(data.draw(st.sampled_from([plain, transactional])))

    def relay_without_confirm(self, _data: st.DataObject) -> None:
        """The relay dies when the broker has the messages, and before it deletes them."""
        self.broker.confirms = False
        try:
            self.relay.run_pass()
        except BrokerError:
            pass
        finally:
            self.broker.confirms = True
        self.relay.run_pass()

    def deliver(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.broker.messages) - 1))
        self._deliver(self.broker.messages.pop(place), to=data.draw(st.sampled_from(self.processes)))

    def deliver_a_copy(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.broker.messages))
        self._deliver(message, to=data.draw(st.sampled_from(self.processes)))

    def give_back(self, data: st.DataObject) -> None:
        """A worker that has fetched it and not begun ends, or has no place for it."""
        place = data.draw(st.integers(0, len(self.broker.messages) - 1))
        self.broker.messages.append(self.broker.messages.pop(place).handed_out())

    def finish(self, data: st.DataObject) -> None:
        process = self._busy(data)
        running = process.runs.pop(data.draw(st.integers(0, len(process.runs) - 1)))
        verdict = data.draw(st.sampled_from(Verdict), label="verdict")
        counts = Job.objects.filter(pk=running.job_id, state=State.RUNNING, attempt=running.attempt).exists()
        process.finish(running, verdict)
        if verdict is Verdict.ASK_AGAIN and counts:
            self.lives[running.job_id].asked += 1
        self._relay_soon(data)
        if running.has_message and data.draw(st.booleans(), label="dies before the ack"):
            self.broker.messages.append(running.message.handed_out())

    def crash(self, data: st.DataObject) -> None:
        self._crash(self._busy(data))

    def crash_again_and_again(self, data: st.DataObject) -> None:
        """A poison job: whoever runs it dies of it."""
        message = data.draw(st.sampled_from(self.broker.messages))
        for _ in range(data.draw(st.integers(2, LIMIT + 1), label="times")):
            mine = [each for each in self.broker.messages if each.job_id == message.job_id]
            if not mine:
                break
            self.broker.messages.remove(mine[-1])
            self._deliver(mine[-1], to=self.processes[0])
            self._crash(self.processes[0])
            self.invariants_hold()
            if data.draw(st.booleans(), label="and the broker is wiped"):
                self.wipe(data)
                self._let_a_minute_pass()
                self.relay.run_pass()

    def cut_off_from_postgres(self, data: st.DataObject) -> None:
        """A worker is thought dead and goes on, to finish attempts that were taken from it; or it is back."""
        process = self._busy(data)
        process.reaches_postgres = not process.reaches_postgres
        if not process.reaches_postgres:
            _let_expire(process)

    def cut_off_from_the_broker(self, data: st.DataObject) -> None:
        """Its messages are delivered to others, and it goes on."""
        self._take_back_messages(self._busy(data))

    def wipe(self, _data: st.DataObject) -> None:
        """Everything in the broker is gone, what workers have fetched included."""
        self.broker.wipe()
        for process in self.processes:
            for running in process.runs:
                running.has_message = False

    def lose_the_connection(self, data: st.DataObject) -> None:
        """Celery ends what runs when it loses the broker; then the lease's thread finds strays."""
        process = self._busy(data)
        self._take_back_messages(process)
        process.runs.clear()
        self._note_given_up(process)
        Job.objects.filter(lease=process.lease).update(started_at=timezone.now() - LONG_AGO)
        lease_rows.send_strays_again(_connection(), {"id": process.lease, "queues": "cpu"}, running=[])
        self._relay_soon(data)

    def stop(self, data: st.DataObject) -> None:
        """A worker is told to stop, and leaves what it runs."""
        place = data.draw(st.integers(0, WORKERS - 1))
        stopped, self.processes[place] = self.processes[place], Process()
        self._note_given_up(stopped)
        lease_rows.give_up(_connection(), {"id": stopped.lease})
        self._take_back_messages(stopped)

    def reconcile(self, data: st.DataObject) -> None:
        self._let_a_minute_pass()
        self._relay_soon(data)

    def _let_a_minute_pass(self) -> None:
        self._renew()
        now = timezone.now()
        Job.objects.filter(state__in=GIVEN, queued_at__isnull=False).update(queued_at=now - LONG_AGO)
        # suspects are put off until others of their kind have shown themselves
        Job.objects.filter(state=State.RUNNING).update(started_at=now - LONG_AGO)
        Job.objects.filter(state__in=WAITING).update(available_at=now - LONG_AGO)
        OutboxMessage.objects.update(available_at=now - LONG_AGO)
        self.relay.reconcile()

    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.lives)))
        with transaction.atomic():
            endings.end(Job.objects.select_for_update().get(pk=job_id), state=State.CANCELLED, error=TaskRevokedError())

    def retry_by_hand(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.ended)))
        attempts = Job.objects.get(pk=job_id).attempt
        if job_id in retry.retry([job_id], by=EVERYBODY).retried:
            del self.ended[job_id]
            self.lives[job_id] = Life(before=attempts)
        self._relay_soon(data)

    @invariant()
    def invariants_hold(self) -> None:
        jobs = {job.pk: job for job in Job.objects.all()}
        assert {job_id: jobs[job_id].state for job_id in self.ended} == self.ended, "a final state changed"
        self.ended |= {job.pk: job.state for job in jobs.values() if job.is_final}
        effects = Counter(Group.objects.values_list("name", flat=True))
        succeeded = [job for job in jobs.values() if job.state == State.SUCCEEDED and job.task == transactional.name]
        assert effects == Counter(json.loads(str(job.result)) for job in succeeded)
        for job in jobs.values():
            self._came_from_the_last_claim(job)
            self._account_for(job)

    def teardown(self) -> None:
        """Whatever happened, what was accepted becomes final when the faults end."""
        if not hasattr(self, "broker"):
            return
        for process in self.processes:
            _let_expire(process)
        self.processes = [Process()]
        for _ in range(LIMIT):
            self._let_a_minute_pass()
            self.relay.run_pass()
            for message in list(self.broker.messages):
                self._deliver(message, to=self.processes[0])
            for running in self.processes[0].runs:
                self.processes[0].finish(running, Verdict.SUCCEED)
            self.processes[0].runs.clear()
            self.broker.messages.clear()
        self.invariants_hold()
        assert not list(Job.objects.exclude(state__in=FINAL).values()), "not every job ended"
        assert not OutboxMessage.objects.exists()

    def _came_from_the_last_claim(self, job: Job) -> None:
        if job.state not in (State.SUCCEEDED, State.FAILED):
            return
        result = json.loads(str(job.result))
        token = result["exc_message"][0] if job.state == State.FAILED else result
        assert token == self.last_claim[job.pk].token, "a lost attempt finished"

    def _account_for(self, job: Job) -> None:
        life = self.lives[job.pk]
        over = job.attempt - life.before - job.losses - life.asked - life.given_up
        if job.state in (State.RUNNING, State.SUCCEEDED, State.FAILED):
            assert over == 1, f"{job.state} with {over} attempts that are not accounted for"
        else:
            assert over == 0 or (over == 1 and job.state == State.CANCELLED), f"{job.state} with {over} attempts over"
        assert (job.losses >= LIMIT) == (job.state == State.DEAD), f"{job.state} after {job.losses} losses"

    def _submit(self, task: Any) -> None:
        self.lives[task.delay().id] = Life()
        self.relay.run_pass()

    def _deliver(self, message: Message, *, to: Process) -> None:
        self._renew()
        before = Job.objects.get(pk=message.job_id)
        running = to.claim(message)
        if running:
            self.last_claim[message.job_id] = running
            self._may_be_taken(before, message)
        else:
            waits = before.state in WAITING and before.available_at < timezone.now() - timedelta(seconds=1)
            assert not waits, f"nobody may take a job that is {before.state}"

    def _may_be_taken(self, job: Job, message: Message) -> None:
        assert not job.is_final, f"a job was taken that is {job.state}"
        holders = [process for process in self.processes if process.lease == job.lease and process.reaches_postgres]
        if job.state == State.RUNNING and holders:
            came_with_it = message.redelivered and message.message_id == job.message_id
            assert came_with_it, "a job was taken from a living worker that has its message"

    def _relay_soon(self, data: st.DataObject) -> None:
        """Mostly at once, so that there is always something to claim."""
        if data.draw(st.sampled_from([True, True, True, False]), label="the relay runs"):
            self.relay.run_pass()

    def _busy(self, data: st.DataObject) -> Process:
        return data.draw(st.sampled_from([process for process in self.processes if process.runs]))

    def _crash(self, process: Process) -> None:
        """A worker dies: its lease is renewed no more, its messages come back, if the broker has them still."""
        self.processes[self.processes.index(process)] = Process()
        _let_expire(process)
        self._take_back_messages(process)

    def _take_back_messages(self, process: Process) -> None:
        for running in process.runs:
            if running.has_message:
                self.broker.messages.append(running.message.handed_out())
            running.has_message = False

    def _note_given_up(self, process: Process) -> None:
        for job_id in Job.objects.filter(state=State.RUNNING, lease=process.lease).values_list("pk", flat=True):
            self.lives[job_id].given_up += 1

    def _renew(self) -> None:
        living = [process.lease for process in self.processes if process.reaches_postgres]
        Worker.objects.filter(pk__in=living).update(seen_at=timezone.now())


def _let_expire(process: Process) -> None:
    Worker.objects.filter(pk=process.lease).update(seen_at=timezone.now() - LONG_AGO)
    Job.objects.filter(lease=process.lease).update(started_at=timezone.now() - LONG_AGO)


def _connection() -> Any:
    return connection.connection


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

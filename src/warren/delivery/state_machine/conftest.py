"""The world around the jobs, played: a broker in memory, and workers whose claims and finishes are the real ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from celery import current_app, shared_task
from celery.app.trace import build_tracer
from celery.exceptions import Ignore
from django.contrib.auth.models import Group

from warren.delivery import claim, leases
from warren.delivery.batching import batch as batches
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.publisher import BrokerError


class Verdict(StrEnum):
    """What a body does in the end, after its effect."""

    SUCCEED = "succeed"
    FAIL = "fail"
    ASK_AGAIN = "ask again"


@dataclass(frozen=True)
class Message:
    """A task message; `redelivered` as the broker marks what it has handed out before."""

    job_id: str
    message_id: str
    redelivered: bool = False

    def handed_out(self) -> "Message":
        """The same when it comes back."""
        return replace(self, redelivered=True)


@dataclass(eq=False)
class Running:
    """What a worker believes to run; `has_message`: the broker will give its message to others if it is lost."""

    message: Message
    attempt: int
    has_message: bool = True
    token: str = field(default_factory=lambda: uuid4().hex)

    @property
    def job_id(self) -> str:
        return self.message.job_id


class Broker:
    """A `Publisher` that keeps everything until it is wiped."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.confirms = True
        self._marks: set[str] = set()

    def wipe(self) -> None:
        self.messages.clear()
        self._marks.clear()

    def publish(self, messages: list[OutboxMessage], *, at: datetime) -> dict[int, str]:  # noqa: ARG002  `waiting_since`
        self.messages += [Message(message.job_id, str(message.pk)) for message in messages]
        if not self.confirms:
            raise BrokerError("it was lost before it could confirm")
        return {}

    def waiting_since(self, queue: str, *, urgent: bool, now: datetime) -> datetime | None:  # noqa: ARG002  there is one
        return None if self.messages else now

    def drain(self, queue: str, *, handle: Callable[[Any], None]) -> int:  # noqa: ARG002  no message is dead here
        return 0

    def has_mark(self, name: str) -> bool:
        return name in self._marks

    def leave_mark(self, name: str) -> None:
        self._marks.add(name)

    def close(self) -> None:
        pass


@dataclass(eq=False)
class Process:
    """A worker process: one row of `warren_worker`, and what it believes to run."""

    lease: UUID = field(default_factory=uuid4)
    runs: list[Running] = field(default_factory=list)
    reaches_postgres: bool = True

    def __post_init__(self) -> None:
        Worker.objects.create(id=self.lease, name=str(self.lease), pool="prefork", concurrency=1, queues="cpu")

    def claim(self, message: Message) -> Running | None:
        """As a task does when its message has arrived; None for a duplicate."""
        task: Any = _task_of(message.job_id)
        delivery_info = {"routing_key": "cpu", "redelivered": message.redelivered}
        properties = {"message_id": message.message_id}
        task.push_request(
            id=message.job_id, hostname=str(self.lease), delivery_info=delivery_info, properties=properties
        )
        try:
            with self._holding_the_lease():
                running = Running(message, claim.take(task))
        except Ignore:
            return None
        finally:
            task.pop_request()
        self.runs.append(running)
        return running

    def finish(self, running: Running, verdict: Verdict) -> None:
        """Run the body and what comes after it. It was claimed earlier, as the jobs of a batch are."""
        task = _task_of(running.job_id)
        request = {"id": running.job_id, "hostname": str(self.lease), "delivery_info": {"routing_key": "cpu"}}
        _script[running.job_id] = running, verdict
        batch = batches.current = batches.Batch({running.job_id: claim.Claim(running.attempt, losses=0)})
        try:
            _tracer(task.name)(running.job_id, [], {}, request)
            batch.store()
        finally:
            batches.current = None

    @contextmanager
    def _holding_the_lease(self) -> Iterator[None]:
        before, leases.current = leases.current, self.lease
        try:
            yield
        finally:
            leases.current = before


_script: dict[str, tuple[Running, Verdict]] = {}


@shared_task(name="machine.transactional", queue="cpu", transactional=True, bind=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def transactional(self: Any) -> str:
    """Its effect is a group, named for the attempt."""
    Group.objects.create(name=_script[self.request.id][0].token)
    return _end(self)


@shared_task(name="machine.plain", queue="cpu", bind=True)
def plain(self: Any) -> str:
    """Nobody promises anything of its effects."""
    return _end(self)


def _end(task: Any) -> str:
    running, verdict = _script[task.request.id]
    if verdict is Verdict.FAIL:
        raise ValueError(running.token)
    if verdict is Verdict.ASK_AGAIN:
        raise task.retry(countdown=0, max_retries=1000)
    return running.token


def _task_of(job_id: str) -> Any:
    return current_app.tasks[Job.objects.values_list("task", flat=True).get(pk=job_id)]


@cache
def _tracer(name: str) -> Callable[..., Any]:
    tracer: Callable[..., Any] = build_tracer(name, current_app.tasks[name], app=current_app)
    return tracer

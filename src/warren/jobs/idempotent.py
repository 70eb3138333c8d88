"""The header Idempotency-Key: a request that is sent again gets the answer of the first one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kombu.utils.uuid import uuid
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from warren.delivery import idempotency
from warren.delivery.errors import IdempotencyKeyError
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Jobs in the order in which they were wanted, with id and state. `replayed`: an earlier request made them."""

    jobs: list[Job]
    replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        return {REPLAYED: "true"} if self.replayed else {}


def key_of(request: Request) -> str | None:
    """The request's key, if it has one. Raises `ValidationError` (400), which says why, for a bad one."""
    key = request.headers.get(HEADER)
    if key is not None:
        try:
            idempotency.refuse_bad(key)
        except IdempotencyKeyError as exc:
            raise ValidationError({HEADER: [str(exc)]}) from exc
    return key


def submit(
    send: Callable[[list[str]], None], *, count: int, content: Any, owner_id: int | None, key: str | None
) -> Accepted:
    """One transaction: `send` this many new jobs under the ids that it is given, or find those of the key.

    Raises `IdempotencyConflictError` if the key stands for other content.
    """
    new_ids = [uuid() for _ in range(count)]
    with owned_by(owner_id), idempotency.first_use(key, content=content, job_ids=new_ids) as first_ids:
        if first_ids != new_ids:
            return Accepted(jobs=_found(first_ids), replayed=True)
        send(new_ids)
    return Accepted(jobs=[Job(pk=job_id, state=State.ACCEPTED) for job_id in new_ids], replayed=False)


def _found(job_ids: list[str]) -> list[Job]:
    """The jobs of these ids, in order; one of a batch that was deleted before the first has no state."""
    states: dict[str, Any] = dict(Job.objects.filter(pk__in=job_ids).values_list("pk", "state"))
    gone: Any = None
    return [Job(pk=job_id, state=states.get(job_id, gone)) for job_id in job_ids]

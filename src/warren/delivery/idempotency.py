"""Submitting once: a key that the caller chooses stands for the job that was first submitted with it.

The key's row and the job's are written in one transaction. Keys are per owner, and live as long as their job.

    two submit at once        the second waits, by the unique index, for the first's end
    the first commits         the second gets its job
    the first rolls back      the second is the first
    same key, other content   refused: the caller has mixed something up
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from celery.result import AsyncResult
from django.db import connection, transaction
from kombu.utils.json import dumps

from warren.delivery.errors import IdempotencyConflictError, IdempotencyKeyError
from warren.delivery.ownership import current_owner_id

LONGEST_KEY = 255

# The no-change UPDATE makes one statement of it: who comes second waits for the first, then reads and locks its row.
_USE = """
INSERT INTO warren_idempotency_key (key, owner_id, digest, job_id, job_ids, created_at)
VALUES (%(key)s, %(owner_id)s, %(digest)s, %(job_id)s, %(job_ids)s, now())
ON CONFLICT (key, owner_id) DO UPDATE SET key = excluded.key
RETURNING digest, job_ids
"""


@contextmanager
def first_use(key: str | None, *, content: Any, job_ids: Sequence[str]) -> Iterator[list[str]]:
    """A transaction that gives the ids of the jobs that the key stands for: `job_ids` at its first use.

    Then the block must submit jobs with these ids. `content` is whatever JSON must be equal for a use to be the same.
    Without a key every use is the first. Raises `IdempotencyKeyError` for what is no key, and
    `IdempotencyConflictError` for other content.
    """
    with transaction.atomic():
        yield list(job_ids) if key is None else _use(key, content=content, job_ids=job_ids)


def earlier_result(job_id: str) -> AsyncResult[Any]:
    """The result of a job that an earlier use of a key submitted: it is marked as `replayed`."""
    result: Any = AsyncResult(job_id)
    result.replayed = True
    return cast("AsyncResult[Any]", result)


def is_replayed(result: AsyncResult[Any]) -> bool:
    """Whether the call that gave this result submitted nothing, because an earlier one had."""
    return getattr(result, "replayed", False)


def refuse_bad(key: str) -> None:
    """Raise `IdempotencyKeyError`, which says why, for what cannot be a key."""
    if not isinstance(key, str):
        raise IdempotencyKeyError(f"an idempotency key is a text, not {key!r}")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise IdempotencyKeyError(f"an idempotency key has 1 to {LONGEST_KEY} characters, not {len(key)}")
    if not key.isprintable():
        raise IdempotencyKeyError(f"an idempotency key has printable characters only, unlike {key!r}")


def _use(key: str, *, content: Any, job_ids: Sequence[str]) -> list[str]:
    refuse_bad(key)
    digest = _digest(content)
    row = {
        "key": key,
        "owner_id": current_owner_id(),
        "digest": digest,
        "job_id": job_ids[0],
        "job_ids": json.dumps(list(job_ids)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_USE, row)
        first_digest, first_ids = cursor.fetchone()
    first = list(json.loads(first_ids))
    if first_digest != digest:
        raise IdempotencyConflictError(
            f"idempotency key {key!r} belongs to job {first[0]}, which was submitted with other content",
            job_id=first[0],
        )
    return first


def _digest(content: Any) -> str:
    return hashlib.sha256(dumps(content, sort_keys=True).encode()).hexdigest()

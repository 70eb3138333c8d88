"""Jobs that still wait when they expire.

Postgres decides, by its clock: in the relay before a message is sent, and in the claim before a body runs. Celery
would compare the message's header with the worker's clock (`request.py`), which may be wrong.
"""

from collections.abc import Iterable
from functools import partial

from celery.exceptions import TaskRevokedError
from django.db.models.functions import Now

from warren.delivery import endings, savepoint
from warren.delivery.models import Job
from warren.delivery.states import State

WAITING = (State.ACCEPTED, State.QUEUED, State.RETRYING)


def settle(job_ids: Iterable[str]) -> dict[str, Exception]:
    """Make those among these jobs expired that wait and are past their expiry; what runs may end.

    Returns why some could not be ended, by id: they wait on, and the others are ended.
    """
    failed = {}
    for job in Job.objects.filter(pk__in=list(job_ids), state__in=WAITING, expires_at__lte=Now()):
        end = partial(endings.end, job, state=State.EXPIRED, error=TaskRevokedError("expired"))
        error = savepoint.attempt(end, what=f"the expiry of job {job.pk}")
        if error is not None:
            failed[job.pk] = error
    return failed

"""Jobs that still wait when they expire.

Postgres decides, by its clock: in the relay before a message is sent, and in the claim before a body runs. Celery
would compare the message's header with the worker's clock (`request.py`), which may be wrong.
"""

from collections.abc import Iterable

from celery.exceptions import TaskRevokedError
from django.db.models.functions import Now

from warren.delivery import endings
from warren.delivery.models import Job
from warren.delivery.states import State

WAITING = (State.ACCEPTED, State.QUEUED, State.RETRYING)


def settle(job_ids: Iterable[str]) -> None:
    """Make those among these jobs expired that wait and are past their expiry; what runs may end."""
    for job in Job.objects.filter(pk__in=list(job_ids), state__in=WAITING, expires_at__lte=Now()):
        endings.end(job, state=State.EXPIRED, error=TaskRevokedError("expired"))

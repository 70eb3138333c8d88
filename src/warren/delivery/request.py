"""Celery's request in a worker's main process, as Warren's tasks want it."""

from typing import Literal

from celery.worker.request import Request

from warren.delivery import losable, ownership


class JobRequest(Request):
    """Leaves the expiry of a job to the claim, which goes by Postgres' clock (`expiry.py`)."""

    def maybe_expire(self) -> Literal[True] | None:
        """Celery's answer for a message that has no row: a foreign one, or of a task declared `durable=False`."""
        headers = self.request_dict
        has_row = ownership.HEADER in headers and losable.HEADER not in headers
        return None if has_row else super().maybe_expire()

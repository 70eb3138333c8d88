"""Whose jobs a user may see: their own; staff see all."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound

from warren.delivery.models import Job


def jobs_for(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Job]:
    """The jobs that this user may see."""
    everything = Job.objects.all()
    return everything if getattr(user, "is_staff", False) else everything.filter(owner_id=user.pk)


def find(job_id: str, *, user: AbstractBaseUser | AnonymousUser) -> Job:
    """The job of this id. Raises `NotFound` (404) for unknown ids and for other people's jobs alike."""
    # Postgres takes no NUL in a text, so no id holds one
    job = None if "\x00" in job_id else jobs_for(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no job {job_id!r} that you may see.")
    return job

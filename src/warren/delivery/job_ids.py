"""Which ids a job may be given by hand, `apply_async(task_id=…)`."""

from warren.delivery.errors import BadJobIdError

# as a part of an address these mean another one
_STEPS = (".", "..")


def refuse_bad(job_id: str) -> None:
    """Raises `BadJobIdError` for an id that cannot be a part of an address, as every job's id is."""
    if "/" in job_id:
        remedy = f"as {job_id.replace('/', '-')!r} has none"
        raise BadJobIdError(f"the job id {job_id!r} holds a slash, which parts an address; take one without, {remedy}")
    if job_id in _STEPS:
        raise BadJobIdError(f"the job id {job_id!r} means another address; take a word or a number")

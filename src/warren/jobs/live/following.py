"""What one stream follows."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Following:
    """One job, by `job_id`; without it a list: all jobs of `owner_id`, or of everybody if that is None.

    `user_id` is whose stream it is; that they may see these jobs was asked before. `seen` is the version of the job
    that they have already.
    """

    user_id: int
    job_id: str = ""
    owner_id: int | None = None
    seen: str = ""

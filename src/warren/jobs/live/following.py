"""What one stream follows."""

from dataclasses import dataclass, field
from typing import Any, Self

from rest_framework.request import Request


@dataclass(frozen=True, kw_only=True)
class Following:
    """One job, by `job_id`; without it a list: all jobs of `owner_id`, or of everybody if that is None.

    `user_id` is whose stream it is; that they may see these jobs was asked before. What it rests on is looked at while
    it is open (`rights.py`): that they are staff, if they were, and the `token` that they came with, if it was no
    session. `seen` is the version of the job that they have already.
    """

    user_id: int
    as_staff: bool = False
    token: str = field(default="", repr=False)
    job_id: str = ""
    owner_id: int | None = None
    seen: str = ""

    @classmethod
    def by(cls, request: Request, **what: Any) -> Self:
        """What whoever makes this request, and is logged in, follows."""
        user: Any = request.user
        # of another kind of login than tokens nobody knows when it ends: as of a session
        token = str(getattr(request.auth, "key", ""))
        return cls(user_id=user.pk, as_staff=user.is_staff, token=token, **what)

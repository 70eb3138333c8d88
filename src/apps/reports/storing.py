"""Stores a report's file: whole or not at all.

It is written beside its place, under a name that the attempt's number is part of, and put there when it is complete
and on the disk. A worker that is killed meanwhile leaves that part; the job's next attempt deletes it, or, if there
is none, the daily tidying.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.files.storage import default_storage

FOLDER = "reports"


def name_of(job_id: str, *, kind: str) -> str:
    """Where the report of this job is kept: determined by the id, of which nothing becomes part of a path."""
    return f"{FOLDER}/{hashlib.sha256(job_id.encode()).hexdigest()[:32]}/jobs.{kind}"


@contextmanager
def whole(name: str, *, attempt: int) -> Iterator[IO[bytes]]:
    """A file to write, which replaces what has the name when the block ends well; else nothing is left of it."""
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):
        left.unlink(missing_ok=True)
    part = path.with_suffix(f".{attempt}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)

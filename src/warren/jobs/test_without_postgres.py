"""The commands for whoever is on call, while Postgres is away: a sentence, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MANAGE = Path(__file__).parents[2] / "manage.py"
WITHIN_S = 60  # Python's start included


@pytest.mark.parametrize("command", [["jobs", "list"], ["jobs", "tail", "an-id"], ["queues", "--json"]], ids=str)
def test_it_says_that_postgres_cannot_be_asked(command: list[str]) -> None:
    nowhere = {**os.environ, "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "1"}

    done = subprocess.run(  # noqa: S603  this repository's own command
        [sys.executable, str(MANAGE), *command],
        env=nowhere,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "CommandError: Postgres cannot be asked: " in done.stderr
    assert "Traceback" not in done.stderr

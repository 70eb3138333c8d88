"""Every combination of compose files that make or the documentation uses is one that Compose accepts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.check import variables

ROOT = Path(__file__).parents[2]
STACK = "compose/stack.yaml"
AS_IN_MAKE_DEV = (STACK, "compose/mail.yaml", "compose/dev.yaml")
# an overlay → what it is laid over
LAID_OVER = {"compose/observability-offline.yaml": (STACK, "compose/observability.yaml")}
STANDS_ALONE = {STACK, "compose/check.yaml", "compose.yaml"}


def _combinations() -> list[tuple[str, ...]]:
    names = [str(path.relative_to(ROOT)) for path in variables.compose_files(ROOT)]
    below = {name: () if name in STANDS_ALONE else LAID_OVER.get(name, (STACK,)) for name in names}
    return [AS_IN_MAKE_DEV, *((*below[name], name) for name in names)]


@pytest.mark.parametrize("files", _combinations(), ids="+".join)
def test_compose_accepts(files: tuple[str, ...], tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    shutil.copy(ROOT / ".env.example", dotenv)
    options = [option for name in files for option in ("--file", name)]

    answer = subprocess.run(
        ["docker", "compose", "--env-file", dotenv, *options, "config", "--quiet"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert not answer.stderr, "Compose warns; a warning names a variable that has no value"

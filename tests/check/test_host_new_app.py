"""compose/host/new-app: what `make app name=x` runs."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    pattern = tmp_path / "src/apps/arithmetic"
    (pattern / "templates/arithmetic").mkdir(parents=True)
    (pattern / "apps.py").write_text('class ArithmeticConfig:\n    name = "apps.arithmetic"\n')
    (pattern / "test_arithmetic.py").write_text("from apps.arithmetic import tasks\n")
    (pattern / "templates/arithmetic/page.html").write_text("arithmetic\n")
    return tmp_path


def _run(clone: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["compose/host/new-app", name], cwd=clone, check=False, capture_output=True, text=True)


def test_it_copies_the_pattern_under_the_new_name(clone: Path) -> None:
    answer = _run(clone, "late_fees")

    assert answer.returncode == 0, answer.stderr
    made = clone / "src/apps/late_fees"
    assert (made / "apps.py").read_text() == 'class LateFeesConfig:\n    name = "apps.late_fees"\n'
    assert (made / "test_late_fees.py").read_text() == "from apps.late_fees import tasks\n"
    assert (made / "templates/late_fees/page.html").read_text() == "late_fees\n"
    assert (clone / "src/apps/arithmetic/test_arithmetic.py").exists()


@pytest.mark.parametrize("name", ["", "Billing", "9lives", "a b", "../x", "a;b", "class", "arithmetic"])
def test_it_refuses_a_name_that_cannot_be_an_app(clone: Path, name: str) -> None:
    answer = _run(clone, name)

    assert answer.returncode == 1
    assert answer.stderr.startswith("app: ")
    assert [path.name for path in (clone / "src/apps").iterdir()] == ["arithmetic"]

"""compose/host/env: the one writer of .env."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = """
# why
PORT=8000
A_PASSWORD=generate
B_PASSWORD=generate
EMPTY=
PYTHON_IMAGE=official
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    (tmp_path / "compose/bases/.env").write_text("PYTHON_IMAGE=chosen:here\n")
    (tmp_path / ".env.example").write_text(EXAMPLE)
    return tmp_path


def _run(clone: Path) -> str:
    return subprocess.run(["compose/host/env"], cwd=clone, check=True, capture_output=True, text=True).stderr


def _values(dotenv: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in dotenv.read_text().splitlines() if "=" in line)


def test_it_writes_a_file_that_only_its_owner_reads(clone: Path) -> None:
    _run(clone)

    assert (clone / ".env").stat().st_mode & 0o777 == 0o600


def test_it_makes_a_long_random_secret_for_each_generate(clone: Path) -> None:
    _run(clone)

    values = _values(clone / ".env")
    secrets = {values["A_PASSWORD"], values["B_PASSWORD"]}
    assert len(secrets) == 2
    assert all(len(secret) >= 32 and secret.isalnum() for secret in secrets)


def test_it_keeps_plain_values_and_fills_in_what_this_host_decided(clone: Path) -> None:
    _run(clone)

    values = _values(clone / ".env")
    assert (values["PORT"], values["EMPTY"], values["PYTHON_IMAGE"]) == ("8000", "", "chosen:here")


def test_it_never_touches_an_existing_file_and_names_what_that_lacks(clone: Path) -> None:
    mine = "PORT=9000\nA_PASSWORD=mine\nEMPTY=\nPYTHON_IMAGE=mine\n"
    (clone / ".env").write_text(mine)

    said = _run(clone)

    assert (clone / ".env").read_text() == mine
    assert "B_PASSWORD" in said
    assert "A_PASSWORD" not in said

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.check import variables

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository in which each way of reading a variable occurs once, and .env.example is right."""
    for path, text in {
        ".env.example": "# why\nBIND=1\nPORT=8000\nMODE=fast\nSECRET=generate\nPOOL=\n",
        "compose.yaml": "include: [compose/stack.yaml]\n",
        "compose/stack.yaml": """
            # ${IN_A_COMMENT}
            services:
              web:
                command: echo $$NOT_COMPOSE
                ports: ["${BIND:-${PORT}}:80"]
                environment: {RENAMED: "${MODE:?}", TOKEN_FILE: /run/secrets/token}
                volumes: !reset []
            """,
        "src/warren/config/settings.py": "A = env.str('SECRET')\nB = env.int('RENAMED', 3)\nC = env.str('TOKEN')\n",
        "services/worker/start": 'LOCAL=1\n# $IN_A_COMMENT\nexec run "$LOCAL" "${POOL:-x}" "$PATH"\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_it_declares_exactly_the_variables_that_are_read() -> None:
    declared, read = variables.declared(ROOT), variables.read(ROOT)

    assert not read - declared, f"read, but not in .env.example: {sorted(read - declared)}"
    assert not declared - read, f"in .env.example, but read by nothing: {sorted(declared - read)}"


def test_it_gives_each_variable_a_reason() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    bare = [line for before, line in pairwise(lines) if re.match("[A-Z]", line) and not before.startswith("# ")]

    assert not bare


def test_the_comparison_finds_every_way_of_reading(tree: Path) -> None:
    assert variables.read(tree) == variables.declared(tree) == {"BIND", "PORT", "MODE", "SECRET", "POOL"}


@pytest.mark.parametrize("name", ["BIND", "PORT", "MODE", "SECRET", "POOL"])
def test_the_comparison_names_a_variable_that_is_read_but_not_declared(tree: Path, name: str) -> None:
    example = tree / ".env.example"
    example.write_text(example.read_text().replace(f"{name}=", "OTHER="))

    assert variables.read(tree) - variables.declared(tree) == {name}
    assert variables.declared(tree) - variables.read(tree) == {"OTHER"}

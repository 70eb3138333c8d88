import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.check import variables

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository in which each way of passing a variable occurs once, and nothing is missing."""
    for path, text in {
        ".env.example": "# why\nBIND=1\nPORT=8000\nMODE=fast\n",
        "compose.yaml": "include: [compose/stack.yaml]\n",
        "compose/stack.yaml": """
            # ${IN_A_COMMENT}
            services:
              web:
                command: echo $$NOT_COMPOSE
                ports: ["${BIND:-${PORT}}:80"]
                environment: {SETTING: "${MODE:?}", TOKEN_FILE: /run/secrets/token, HOOK: x}
                volumes: !reset []
              worker:
                environment: [POOL=x]
            """,
        "src/warren/config/settings.py": "A = env.int('SETTING', 3)\nB = env.str('TOKEN')\n",
        "services/worker/Dockerfile": "FROM scratch\nENV A=1 \\\n    KIND=cpu\n",
        "services/worker/start": 'LOCAL=1\n# $IN_A_COMMENT\nexec run "$LOCAL" "${POOL:-x}" "$KIND"\n',
        "services/web/web.conf.py": "import os\nhook = os.environ['HOOK']\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_env_example_declares_exactly_what_compose_interpolates() -> None:
    declared, read = variables.declared(ROOT), variables.interpolated(ROOT)

    assert not read - declared, f"read, but not in .env.example: {sorted(read - declared)}"
    assert not declared - read, f"in .env.example, but read by no compose file: {sorted(declared - read)}"


def test_compose_hands_on_whatever_is_read_in_containers() -> None:
    missing = variables.read_in_containers(ROOT) - variables.handed_on(ROOT)

    assert not missing, f"read in a container, but set by no compose file and no image: {sorted(missing)}"


def test_env_example_gives_each_variable_a_reason() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    bare = [line for before, line in pairwise(lines) if re.match("[A-Z]", line) and not before.startswith("# ")]

    assert not bare


def test_the_comparison_finds_every_way_of_reading(tree: Path) -> None:
    assert variables.interpolated(tree) == variables.declared(tree) == {"BIND", "PORT", "MODE"}
    assert variables.read_in_containers(tree) == {"SETTING", "TOKEN", "POOL", "KIND", "HOOK"}
    assert variables.read_in_containers(tree) <= variables.handed_on(tree)


@pytest.mark.parametrize("name", ["BIND", "PORT", "MODE"])
def test_the_comparison_names_a_variable_that_is_read_but_not_declared(tree: Path, name: str) -> None:
    example = tree / ".env.example"
    example.write_text(example.read_text().replace(f"{name}=", "OTHER="))

    assert variables.interpolated(tree) - variables.declared(tree) == {name}
    assert variables.declared(tree) - variables.interpolated(tree) == {"OTHER"}


@pytest.mark.parametrize("name", ["SETTING", "TOKEN", "POOL", "HOOK"])
def test_the_comparison_names_a_variable_that_compose_does_not_hand_on(tree: Path, name: str) -> None:
    stack = tree / "compose/stack.yaml"
    stack.write_text(stack.read_text().replace(name, "OTHER"))

    assert variables.read_in_containers(tree) - variables.handed_on(tree) == {name}

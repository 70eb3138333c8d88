"""The overlays that the pages show are ones that build, and that the policies find nothing wrong with."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check.k8s import builds, reading, schema_check
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import catalogue
from tests.check.k8s.policies.catalogue import Policy

HOW_TO = builds.ROOT / "docs/how-to"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

# page → what each of its examples in YAML is laid over, in their order
EXAMPLES = {
    "kubernetes.md": ["../dev"],
    "kubernetes-production.md": ["../production", "../../base"],
}
CASES = [(page, number) for page, bases in EXAMPLES.items() for number in range(len(bases))]


def _example(page: str, number: int) -> dict[str, Any]:
    found = [yaml.safe_load(each) for each in BLOCK.findall((HOW_TO / page).read_text())]
    example: dict[str, Any] = found[number]
    return {"resources": [EXAMPLES[page][number]], **example}


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]} {case[1] + 1}")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    """An example as the overlay of a copy of k8s/."""
    root: Path = tmp_path_factory.mktemp("example")
    mine = builds.copy(root) / "overlays/mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(yaml.safe_dump(_example(*request.param), allow_unicode=True))
    return builds.of_folder(mine)


@pytest.mark.parametrize("page", EXAMPLES)
def test_no_example_is_left_out(page: str) -> None:
    assert len(BLOCK.findall((HOW_TO / page).read_text())) == len(EXAMPLES[page])


@pytest.mark.parametrize("policy", catalogue.EVERYWHERE, ids=catalogue.name_of)
def test_every_policy_holds(built: tuple[Object, ...], policy: Policy) -> None:
    assert list(policy(built)) == []


def test_kubernetes_takes_it(built: tuple[Object, ...]) -> None:
    newest = schema_check.VERSIONS[-1]

    assert [schema_check.complaint(each, newest) for each in built if schema_check.complaint(each, newest)] == []


def test_it_says_something_else_than_what_it_is_laid_over(built: tuple[Object, ...]) -> None:
    bases = (builds.overlay("dev"), builds.overlay("production"), builds.combination())
    known = {str(each) for base in bases for each in base}

    assert {each["kind"] for each in built if str(each) not in known} & {"ConfigMap"}
    assert reading.workloads(built)

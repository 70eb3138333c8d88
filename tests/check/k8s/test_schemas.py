"""Every overlay, every component and every combination that the documentation names builds, and Kubernetes takes it."""

import copy

import pytest

from tests.check.k8s import builds, documented, schema_check
from tests.check.k8s.builds import Object
from tests.check.k8s.reading import name_of

STORES = ("postgres-single", "rabbitmq-single")


def _made() -> dict[str, tuple[Object, ...]]:
    made = {name: builds.overlay(name) for name in builds.OVERLAYS}
    made |= {f"with {name}": builds.combination(name) for name in builds.COMPONENTS}
    return made | {" + ".join(names): builds.combination(*names) for names in documented.combinations()}


def _objects() -> list[tuple[str, Object]]:
    """Each different object once, with the first build that has it."""
    found: dict[str, tuple[str, Object]] = {}
    for build, objects in _made().items():
        for each in objects:
            found.setdefault(str(each), (f"{build}: {each['kind']} {name_of(each)}", each))
    return list(found.values())


CASES = _objects()


def test_a_combination_may_go_on_in_the_next_line() -> None:
    page = "- `one` + `two`\n  + `three`\n- `four`\n\n`five`: - `six`\n"

    assert documented.combinations(page) == [("one", "two", "three"), ("four",)]


def test_the_documentation_names_combinations_of_all_components() -> None:
    named = {component for combination in documented.combinations() for component in combination}

    assert named == set(builds.COMPONENTS)


@pytest.mark.parametrize("version", schema_check.VERSIONS)
@pytest.mark.parametrize(("case", "thing"), CASES, ids=[case for case, _ in CASES])
def test_kubernetes_takes(case: str, thing: Object, version: str) -> None:
    assert schema_check.complaint(thing, version) is None, case


@pytest.mark.parametrize("build", _made())
def test_it_names_nothing_twice(build: str) -> None:
    names = [(each["apiVersion"], each["kind"], name_of(each)) for each in _made()[build]]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", schema_check.VERSIONS)
def test_a_field_that_nobody_knows_is_refused(version: str) -> None:
    wrong = copy.deepcopy(next(each for each in builds.combination() if each["kind"] == "Deployment"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    assert "readynessProbe" in (schema_check.complaint(wrong, version) or "")


@pytest.mark.parametrize("schema", sorted(schema_check.SCHEMAS.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_operators_kind_allows_no_field_that_its_schema_lacks(schema: object) -> None:
    example = next(each for _, each in CASES if schema_check.own_schema(each) == schema)
    wrong = copy.deepcopy(example)
    wrong["spec"]["notAField"] = 1

    assert schema_check.complaint(example, schema_check.VERSIONS[-1]) is None
    assert "notAField" in (schema_check.complaint(wrong, schema_check.VERSIONS[-1]) or "")


def test_a_kind_without_a_schema_is_refused() -> None:
    thing = {"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "x"}}

    assert schema_check.complaint(thing, schema_check.VERSIONS[-1])

"""The pages beside the manifests: each component says what it is, and whether anybody has seen it run."""

import re

import pytest

from tests.check.k8s import builds, secrets_of_compose
from tests.check.k8s.builds import K8S

STATUS = re.compile(r"^Status: (tested on a cluster|not tested on a cluster) \((\d{4}-\d{2}-\d{2})\)", re.MULTILINE)


@pytest.mark.parametrize("component", builds.COMPONENTS)
def test_a_component_says_its_status_and_what_it_needs(component: str) -> None:
    page = (K8S / "components" / component / "README.md").read_text()

    assert page.startswith(f"# {component}\n")
    assert STATUS.search(page), "Status: [not] tested on a cluster (YYYY-MM-DD)"
    assert "Needs: " in page


@pytest.mark.parametrize("component", builds.COMPONENTS)
def test_the_overview_has_each_component_with_its_status(component: str) -> None:
    overview = (K8S / "README.md").read_text()
    status = STATUS.search((K8S / "components" / component / "README.md").read_text())

    row = re.search(rf"^\| \[`{component}`\]\(components/{component}/README\.md\) \|.*\|$", overview, re.MULTILINE)

    assert row
    assert status
    assert status[2] in row[0]
    assert ("not tested" in row[0]) == (status[1] == "not tested on a cluster")


@pytest.mark.parametrize("folder", [*(f"components/{name}" for name in builds.COMPONENTS), "base"])
def test_every_file_is_used(folder: str) -> None:
    """One object a file, named for its kind; a file that no kustomization names is a mistake."""
    named = "".join(path.read_text() for path in (K8S / folder).glob("**/kustomization.yaml"))
    files = [path for path in (K8S / folder).glob("**/*") if path.is_file()]
    unused = [path.name for path in files if path.name not in {"kustomization.yaml", "README.md"}]

    assert [name for name in unused if name not in named] == []


@pytest.mark.parametrize("path", sorted(K8S.glob("**/*.yaml")), ids=lambda path: str(path.relative_to(K8S)))
def test_a_file_holds_one_object(path: object) -> None:
    assert not re.search(r"^---$", (K8S / str(path)).read_text(), re.MULTILINE)


def test_the_overview_names_each_role_s_secrets() -> None:
    overview = (K8S / "README.md").read_text()

    for role, names in secrets_of_compose.by_role().items():
        assert f"| `warren-{role}` | {', '.join(f'`{name}`' for name in sorted(names))} |" in overview

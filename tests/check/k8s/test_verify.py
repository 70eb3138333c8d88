"""On which cluster `make k8s/verify` works, and with which images, by a kubectl and a docker that write down."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.check.k8s import builds, reading

KUBECTL = r"""#!/bin/bash
case "$*" in
  "config current-context") echo staging.example.com ;;
  "kustomize "*) exec kustomize build "$2" ;;
  "get namespace"*) [ "$THERE" = yes ] ;;
  *"get job migrate --ignore-not-found"*) ;;
  *"get job migrate"*) echo Complete ;;
  *"get pod ledger"*) echo Succeeded ;;
  *"apply --filename k8s/verify/serviceaccount.yaml") touch "$ASKED.account" ;;
  *"--dry-run=server"*) # as Kubernetes says no to a pod whose account is not there
    cat >"$ASKED"
    [ -e "$ASKED.account" ] || { echo 'serviceaccount "ledger" not found' >&2; exit 1; } ;;
  *"apply --filename -"*) cat >>/dev/null ;;
  *"delete namespace"*) touch "$ASKED.deleted" ;;
esac
"""
DOCKER = """#!/bin/sh
[ "$1" != inspect ] || echo "${4%:*}@sha256:$(printf %s "$4" | sha256sum | cut -d ' ' -f 1)"
"""
PREFIX = "registry.example.org:5000/warren"


class Verified:
    """What it did."""

    def __init__(self, root: Path, *arguments: str, there: str = "no") -> None:
        builds.copy(root)
        for name, text in (("kubectl", KUBECTL), ("docker", DOCKER), ("compose/host/check", "#!/bin/sh\necho '{}'\n")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
            (root / name).chmod(0o755)
        self.asked_file = root / "asked"
        self.overlays = root / "k8s"
        path = f"{root}:/usr/local/bin:/usr/bin:/bin"
        self.answer = subprocess.run(
            [root / "k8s/host/verify", *arguments],
            env={"PATH": path, "ASKED": str(self.asked_file), "THERE": there},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def namespace_is_gone(self) -> bool:
        return self.asked_file.with_suffix(".deleted").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="nothing said"),
        pytest.param(("", PREFIX), id="no cluster named"),
        pytest.param(("production", PREFIX), id="another than kubectl points at"),
        pytest.param(("staging.example.com", ""), id="no registry"),
    ],
)
def test_it_leaves_a_cluster_alone_that_is_not_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    verified = Verified(tmp_path, *arguments)

    assert verified.answer.returncode == 2
    assert "staging.example.com" in verified.answer.stderr
    assert not verified.asked_file.exists()
    assert not verified.namespace_is_gone


def test_on_the_cluster_that_is_named_it_runs_the_images_that_were_pushed(tmp_path: Path) -> None:
    verified = Verified(tmp_path, "staging.example.com", PREFIX)

    assert verified.answer.returncode == 0, verified.answer.stderr
    objects = tuple(yaml.safe_load_all(verified.asked_file.read_text()))
    images = {one["image"] for each in reading.workloads(objects) for one in each.containers}
    images |= {one["image"] for pod in reading.of_kind(objects, "Pod") for one in pod["spec"]["containers"]}
    assert images
    assert [image for image in images if not image.startswith(f"{PREFIX}/warren-") or "@sha256:" not in image] == []
    assert "media" not in {reading.name_of(claim) for claim in reading.of_kind(objects, "PersistentVolumeClaim")}
    assert verified.namespace_is_gone
    assert list(verified.overlays.glob(".verify*")) == []


def test_it_takes_away_no_namespace_that_it_did_not_make(tmp_path: Path) -> None:
    verified = Verified(tmp_path, "staging.example.com", PREFIX, there="yes")

    assert verified.answer.returncode == 1
    assert "kubectl delete namespace" in verified.answer.stderr
    assert not verified.namespace_is_gone
    assert list(verified.overlays.glob(".verify*")) == []

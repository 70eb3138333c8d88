"""`make k8s/pin` pins every image of ours that any combination runs, `make k8s/pin/stores` those of the operators."""

import subprocess
from pathlib import Path

import yaml

from tests.check.k8s import builds, documented, reading
from tests.check.k8s.builds import ROOT

# as much of Docker as pin asks: it has pushed what it is asked about
DOCKER = """#!/bin/sh
case $1 in
  tag | pull) ;;
  push) echo "$3" ;;
  inspect) echo "${4%:*}@sha256:$(printf %s "$4" | sha256sum | cut -d ' ' -f 1)" ;;
  *) exit 9 ;;
esac
"""
PREFIX = "registry.example.org:5000/warren"


def _ours() -> set[str]:
    combinations = (builds.combination(*names) for names in documented.combinations())
    made = [builds.overlay("dev"), builds.overlay("production"), *combinations]
    images = {each["image"] for objects in made for work in reading.workloads(objects) for each in work.containers}
    return {image.rpartition("/")[2].partition("@")[0].partition(":")[0] for image in images}


def _pinned(root: Path) -> dict[str, dict[str, str]]:
    written = yaml.safe_load((root / "k8s/overlays/production/images/kustomization.yaml").read_text())
    return {each["name"]: each for each in written["images"]}


def test_each_image_of_ours_has_a_place() -> None:
    assert _pinned(ROOT).keys() == {name for name in _ours() if name.startswith("warren-")}


def test_it_writes_the_digest_of_each(tmp_path: Path) -> None:
    builds.copy(tmp_path)

    _run(tmp_path, "k8s/host/pin", PREFIX)

    assert _pinned(tmp_path).keys() == _pinned(ROOT).keys()
    for name, pinned in _pinned(tmp_path).items():
        assert pinned["newName"] == f"{PREFIX}/{name}"
        assert pinned["digest"] != _pinned(ROOT)[name]["digest"]


def test_it_writes_tag_and_digest_of_what_the_operators_run(tmp_path: Path) -> None:
    builds.copy(tmp_path)

    for minor in ("5", "6"):
        _run(tmp_path, "k8s/host/pin-stores", f"{PREFIX}/postgresql:17.{minor}", f"{PREFIX}/rabbitmq:4.{minor}")

    objects = builds.of_folder(tmp_path / "k8s/overlays/production")
    [postgres] = reading.of_kind(objects, "Cluster")
    [rabbitmq] = reading.of_kind(objects, "RabbitmqCluster")
    assert postgres["spec"]["imageName"].startswith(f"{PREFIX}/postgresql:17.6@sha256:")
    assert rabbitmq["spec"]["image"].startswith(f"{PREFIX}/rabbitmq:4.6@sha256:")
    assert "sha256:0000" not in postgres["spec"]["imageName"] + rabbitmq["spec"]["image"]


def _run(root: Path, script: str, *arguments: str) -> None:
    docker = root / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    path = f"{root}:/usr/local/bin:/usr/bin:/bin"
    subprocess.run([root / script, *arguments], env={"PATH": path, "WARREN_TAG": "2026.11.1"}, check=True)

"""The overlay for practising a restore that a page shows: production's jobs are in there, and nobody may do them."""

from pathlib import Path

import pytest

from tests.check.k8s import builds, reading, schema_check
from tests.check.k8s.builds import ROOT, Object
from tests.check.k8s.policies import network
from tests.check.k8s.test_examples import BLOCK

OUTSIDE = network.End(address="198.51.100.7")
PAGE = ROOT / "docs/how-to/kubernetes-upgrade.md"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    """It, in a copy of k8s/."""
    drill: Path = builds.copy(tmp_path_factory.mktemp("drill")) / "overlays/drill"
    drill.mkdir()
    [example] = BLOCK.findall(PAGE.read_text())
    (drill / "kustomization.yaml").write_text(example)
    return builds.of_folder(drill)


def test_web_alone_of_those_who_could_do_a_job_or_begin_one_runs(built: tuple[Object, ...]) -> None:
    running = {each.name for each in reading.workloads(built, "Deployment") if each.object["spec"].get("replicas", 1)}

    assert running == {"web", "flower", "postgres-exporter"}


def test_no_autoscaler_brings_them_back(built: tuple[Object, ...]) -> None:
    scaled = reading.of_kind(built, "ScaledObject", "HorizontalPodAutoscaler")

    assert {each["spec"]["scaleTargetRef"]["name"] for each in scaled} == {"web"}


def test_nobody_reaches_a_mail_server_or_a_receiver(built: tuple[Object, ...]) -> None:
    pods = network._pods(built)
    outside = network._pods(builds.overlay("production"))

    assert network._passes(builds.overlay("production"), outside["worker-io"], OUTSIDE, 443)
    for pod in (pods["worker-io"], pods["worker-cpu"], pods["web"], pods["relay"]):
        assert not network._passes(built, pod, OUTSIDE, 443)


def test_it_takes_nothing_that_is_production_s(built: tuple[Object, ...]) -> None:
    assert {each["metadata"].get("namespace", "warren-drill") for each in built} == {"warren-drill"}
    assert reading.of_kind(built, "HTTPRoute", "Ingress", "PrometheusRule") == []


def test_kubernetes_takes_it(built: tuple[Object, ...]) -> None:
    newest = schema_check.VERSIONS[-1]

    assert [schema_check.complaint(each, newest) for each in built if schema_check.complaint(each, newest)] == []

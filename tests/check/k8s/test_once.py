"""A command that is run once in the cluster has all that the workload has which it is like: `k8s/host/once`."""

import json

import pytest

from k8s.host import job_like
from tests.check.k8s import builds, reading, schema_check
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import pods

BUILD = ("postgres-single", "rabbitmq-single", "backup", "network-policies", "tls")


def _as_there(kind: str, name: str) -> Object:
    """As the cluster has it: with what Kubernetes adds to a Job."""
    found = reading.named(builds.combination(*BUILD), kind, name)
    assert found is not None
    there: Object = json.loads(json.dumps(found))
    if kind == "Job":
        there["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": "7"}}
        there["spec"]["template"]["metadata"]["labels"] |= dict.fromkeys(job_like.OF_THE_OLD_JOB, "7")
        there["status"] = {"succeeded": 1}
    return there


@pytest.mark.parametrize(("kind", "name"), [("Job", "migrate"), ("CronJob", "backup")])
def test_it_is_the_other_s_pod_with_another_command(kind: str, name: str) -> None:
    made = job_like.job_like(_as_there(kind, name), name="once", command=["sleep", "1"])

    [once] = reading.workloads([made])
    [other] = [each for each in reading.workloads(builds.combination(*BUILD), kind) if each.name == name]
    assert once.name == "once"
    assert once.labels == other.labels
    assert once.main["command"] == ["sleep", "1"]
    assert {**once.pod, "containers": 0} == {**other.pod, "containers": 0}
    assert {**once.main, "command": 0} == {**other.main, "command": 0}


@pytest.mark.parametrize("version", schema_check.VERSIONS)
def test_kubernetes_takes_it(version: str) -> None:
    made = job_like.job_like(_as_there("Job", "migrate"), name="once", command=["sleep", "1"])

    assert schema_check.complaint(made, version) is None
    assert list(pods.restricted((made,))) == []
    assert made["spec"]["backoffLimit"] == 0

"""Kubernetes' settings beside Compose's: the same variables, with the same values, or a reason."""

import re

import pytest
import yaml

from tests.check.k8s import builds, reading
from tests.check.k8s.builds import K8S, ROOT

STACK = yaml.safe_load((ROOT / "compose/stack.yaml").read_text())["services"]
ROLES = ("web", "worker-cpu", "worker-io", "beat", "relay", "flower", "migrate")

# by variable and role; "" is every role
NOT_NEEDED: dict[tuple[str, str], str] = {}
ONLY_HERE: dict[tuple[str, str], str] = {}
ANOTHER_VALUE = {
    ("DB_POOL_SIZE", "web"): "several pods share Postgres' connections, where Compose has one container",
    ("POSTGRES_ROLE_CONNECTIONS", "migrate"): "there are as many pods as autoscalers make, and Postgres takes more",
}
DEFAULT = re.compile(r"^\$\{[A-Z_]+:-(.*)\}$", re.DOTALL)


def _compose(role: str) -> dict[str, str]:
    found = STACK[role]["environment"]
    defaults = {name: DEFAULT.sub(r"\1", str(value)) for name, value in found.items()}
    return {name: value for name, value in defaults.items() if (name, role) not in NOT_NEEDED}


def _kubernetes(role: str) -> dict[str, str]:
    objects = builds.combination()
    found = next(each for each in reading.workloads(objects) if each.name == role)
    return reading.environment(found, objects)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_variables_that_it_has_in_compose(role: str) -> None:
    here, there = _kubernetes(role), _compose(role)

    assert not there.keys() - here.keys(), "in compose/stack.yaml, but in no k8s/base/config/*.env of this role"
    extra = {name for name in here.keys() - there.keys() if (name, role) not in ONLY_HERE}
    assert not extra, "in k8s/base/config, but not in compose/stack.yaml"


@pytest.mark.parametrize("role", ROLES)
def test_a_variable_has_the_value_that_it_has_in_compose(role: str) -> None:
    here, there = _kubernetes(role), _compose(role)
    compared = {name for name in here.keys() & there.keys() if (name, role) not in ANOTHER_VALUE}

    assert {name: here[name] for name in compared} == {name: there[name] for name in compared}


@pytest.mark.parametrize(("name", "role"), ANOTHER_VALUE)
def test_what_is_said_to_differ_does(name: str, role: str) -> None:
    assert _kubernetes(role)[name] != _compose(role)[name]


@pytest.mark.parametrize("path", sorted((K8S / "base").glob("**/*.env")), ids=lambda path: path.name)
def test_kustomize_takes_no_value_from_who_builds(path: object) -> None:
    """`NAME` without `=` is the value of the machine's own environment."""
    lines = (K8S / "base/config" / str(path)).read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#") and "=" not in line] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_runs_the_image_that_it_runs_in_compose(role: str) -> None:
    found = next(each for each in reading.workloads(builds.combination()) if each.name == role)

    assert found.main["image"] == STACK[role]["image"].partition(":")[0]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_memory_that_it_has_in_compose(role: str) -> None:
    found = next(each for each in reading.workloads(builds.combination()) if each.name == role)
    said = DEFAULT.sub(r"\1", STACK[role]["deploy"]["resources"]["limits"]["memory"])

    assert reading.mebibytes(found.main["resources"]["limits"]["memory"]) == reading.mebibytes(f"{said.upper()}i")


def test_workers_are_given_time_in_compose_too() -> None:
    """Longest drain < soft shutdown < the kill, by the values that .env.example has."""
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    from warren.config.queues import QUEUES  # noqa: PLC0415  Django's settings are not needed for it

    soft_s, killed_s = float(given["WORKER_SOFT_SHUTDOWN_S"]), float(given["WORKER_STOP_GRACE"].removesuffix("s"))

    assert max(spec.drain_s for spec in QUEUES) < soft_s
    assert soft_s + 20 <= killed_s


def test_the_brokers_advanced_configuration_is_the_same_by_the_operator() -> None:
    cluster = reading.named(builds.combination("rabbitmq-cluster"), "RabbitmqCluster", "rabbitmq")
    ours = (ROOT / "services/rabbitmq/advanced.config").read_text()

    assert cluster is not None
    said = cluster["spec"]["rabbitmq"]["advancedConfig"]
    assert "".join(said.split()) == "".join(re.sub(r"%%.*", "", ours).split())


def test_the_brokers_partitions_are_handled_the_same_by_the_operator() -> None:
    cluster = reading.named(builds.combination("rabbitmq-cluster"), "RabbitmqCluster", "rabbitmq")
    ours = (ROOT / "services/rabbitmq/cluster.conf").read_text()
    kept = [line for line in ours.splitlines() if re.match(r"cluster_partition|quorum_queue", line)]

    assert cluster is not None
    assert kept
    assert not set(kept) - set(cluster["spec"]["rabbitmq"]["additionalConfig"].splitlines())


def test_postgres_settings_are_the_same_by_the_operator() -> None:
    cluster = reading.named(builds.combination("postgres-cnpg"), "Cluster", "postgres")
    ours = dict(
        re.findall(
            r"^(\w+) = '?([^'#\n]*?)'?\s*(?:#.*)?$",
            (ROOT / "services/postgres/postgresql.conf").read_text(),
            re.MULTILINE,
        )
    )
    # of the machine's size, and not to be forgotten otherwise
    assert cluster is not None
    said = cluster["spec"]["postgresql"]["parameters"]
    sized = {"max_connections", "shared_buffers", "effective_cache_size", "maintenance_work_mem", "max_wal_size"}

    assert {name: ours[name] for name in said.keys() - sized} == {name: said[name] for name in said.keys() - sized}
    assert {"autovacuum_naptime", "tcp_user_timeout", "idle_in_transaction_session_timeout"} <= said.keys()
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & said.keys(), "the operator's defaults are on"

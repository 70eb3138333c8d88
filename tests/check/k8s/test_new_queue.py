"""A queue that is declared anew is served, scaled and stopped as the others are, by what `make topology` writes."""

import ast
import copy
import re
import shutil
from pathlib import Path

import pytest

from tests.check.k8s import builds, reading, schema_check
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import catalogue, rollouts, scaling
from tests.check.k8s.policies.catalogue import Policy
from warren.config.provisioning import manifests
from warren.config.queues import QUEUES
from warren.delivery.topology import QueueSpec

PAGE = builds.ROOT / "docs/how-to/kubernetes-scaling.md"
# as the page shows it, for work that a worker shall finish before it goes
SLOW = QueueSpec(name="slow", worker="cpu", purpose="reports of ten minutes", drain_s=600, messages_per_worker=2)
BULK = QueueSpec(name="bulk-mail", worker="io", purpose="many mails")
DECLARED = (*QUEUES, SLOW, BULK)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    """The production overlay after `make topology` with two more queues."""
    root: Path = tmp_path_factory.mktemp("repository")
    builds.copy(root)
    (root / "compose").mkdir()
    shutil.copy(builds.ROOT / manifests.STACK, root / manifests.STACK)
    for path, text in manifests.files(root, DECLARED).items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text or "")
    return builds.of_folder(root / "k8s/overlays/production")


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (rollouts, scaling):
        monkeypatch.setattr(module, "QUEUES", DECLARED)


@pytest.mark.parametrize("policy", [*catalogue.EVERYWHERE, *catalogue.IN_PRODUCTION], ids=catalogue.name_of)
def test_every_policy_holds(built: tuple[Object, ...], policy: Policy) -> None:
    # two more that may grow to six ask for more than the overlay's Postgres has; that is for its owner to say
    if policy is not scaling.connections_suffice:
        assert list(policy(built)) == []


def test_it_is_said_when_postgres_is_too_small_for_them(built: tuple[Object, ...]) -> None:
    assert any("warren_worker" in each for each in scaling.connections_suffice(built))


@pytest.mark.parametrize("version", schema_check.VERSIONS)
def test_kubernetes_takes_it(built: tuple[Object, ...], version: str) -> None:
    new = [each for each in built if "slow" in str(each) or "bulk-mail" in str(each)]

    assert {each["kind"] for each in new} >= {"Deployment", "PodDisruptionBudget", "ServiceAccount", "ScaledObject"}
    assert [schema_check.complaint(each, version) for each in new if schema_check.complaint(each, version)] == []


def test_it_has_the_time_that_its_jobs_need(built: tuple[Object, ...]) -> None:
    workers = {each.name: each for each in reading.workloads(built, "Deployment")}
    slow, bulk = workers["worker-cpu-slow"], workers["worker-io-bulk-mail"]

    assert reading.environment(slow, built)["WORKER_SOFT_SHUTDOWN_S"] == "605"
    assert slow.pod["terminationGracePeriodSeconds"] == 630
    assert reading.environment(bulk, built)["WORKER_QUEUES"] == "bulk-mail"
    assert reading.environment(bulk, built)["WORKER_POOL"] == "gevent"
    assert bulk.pod["serviceAccountName"] == "worker-io-bulk-mail"


def test_less_time_than_its_jobs_need_is_noticed(built: tuple[Object, ...]) -> None:
    shorter: list[Object] = copy.deepcopy(list(built))
    [slow] = [each for each in reading.workloads(shorter, "Deployment") if each.name == "worker-cpu-slow"]
    slow.pod["terminationGracePeriodSeconds"] = 600

    assert any("worker-cpu-slow" in each for each in rollouts.grace(tuple(shorter)))


def test_the_page_shows_this_queue_and_its_times() -> None:
    page = PAGE.read_text()

    [shown] = re.findall(r"^QueueSpec\(.*\)$", page, re.MULTILINE)
    assert QueueSpec(**{str(each.arg): ast.literal_eval(each.value) for each in _arguments(shown)}) == SLOW
    assert "`WORKER_SOFT_SHUTDOWN_S` 605 and `terminationGracePeriodSeconds` 630" in page


def _arguments(call: str) -> list[ast.keyword]:
    parsed = ast.parse(call, mode="eval").body
    assert isinstance(parsed, ast.Call)
    return parsed.keywords

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from warren.config.provisioning import manifests, monitoring_manifests
from warren.config.queues import QUEUES
from warren.delivery.topology import QueueSpec

ROOT = Path(__file__).parents[4]
SLOW = QueueSpec(name="slow", worker="cpu", purpose="minutes", drain_s=60, messages_per_worker=2)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what the command writes into."""
    read = (manifests.STACK, manifests.PRODUCTION, monitoring_manifests.RULES, monitoring_manifests.RULES_OF_KUBERNETES)
    for path in (*read, *manifests.files(ROOT, QUEUES)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    return tmp_path


def test_it_is_what_the_repository_holds() -> None:
    call_command("topology", ROOT / "services/rabbitmq/definitions", "--repository", ROOT, "--check")


@pytest.mark.parametrize("path", sorted(manifests.files(ROOT, QUEUES)), ids=str)
def test_it_asks_for_make_topology_when_a_file_says_something_else(repository: Path, path: Path) -> None:
    target = repository / path
    target.write_text(target.read_text().replace(":-io}", ":-oi}") + "\n# changed\n" * (path != manifests.STACK))

    with pytest.raises(CommandError, match=f"{path.name}.*run `make topology`"):
        call_command("topology", ROOT / "services/rabbitmq/definitions", "--repository", repository, "--check")


def test_it_gives_a_new_queue_to_its_class_in_compose() -> None:
    written = manifests.files(ROOT, [*QUEUES, SLOW])[manifests.STACK]

    assert written is not None
    assert "${WORKER_CPU_QUEUES:-cpu,slow}" in written
    assert "${WORKER_IO_QUEUES:-io}" in written


def test_it_gives_a_new_queue_a_deployment_and_an_autoscaler_of_its_own() -> None:
    written = manifests.files(ROOT, [*QUEUES, SLOW])
    copy = written[manifests.BASE / "worker-cpu-slow/kustomization.yaml"] or ""

    assert "  - ../worker-cpu-slow\n" in (written[manifests.BASE / "workers/kustomization.yaml"] or "")
    assert "  - worker-cpu-slow.yaml\n" in (written[manifests.KEDA / "queues/kustomization.yaml"] or "")
    assert "queueName: slow" in (written[manifests.KEDA / "queues/worker-cpu-slow.yaml"] or "")
    assert 'value: "2"' in (written[manifests.KEDA / "queues/worker-cpu-slow.yaml"] or "")
    # longer than its drain_s, and than the time that its pods have
    assert '{name: WORKER_SOFT_SHUTDOWN_S, value: "65"}' in copy
    assert "value: 90" in copy


def test_it_takes_away_what_a_queue_had_when_the_queue_is_gone(repository: Path) -> None:
    written = manifests.files(repository, [*QUEUES, SLOW])
    for path, text in written.items():
        (repository / path).parent.mkdir(exist_ok=True)
        (repository / path).write_text(text or "")

    after = manifests.files(repository, QUEUES)

    assert {path for path, text in after.items() if text is None} == {
        manifests.BASE / "worker-cpu-slow/kustomization.yaml",
        manifests.KEDA / "queues/worker-cpu-slow.yaml",
    }


@pytest.mark.parametrize("name", ["Slow", "slow_one", "-slow", "s" * 41, "two words"])
def test_it_refuses_a_name_that_kubernetes_would_not_take(name: str) -> None:
    with pytest.raises(ValueError, match="use small letters"):
        manifests.deployment(QueueSpec(name=name, worker="cpu", purpose="x"))

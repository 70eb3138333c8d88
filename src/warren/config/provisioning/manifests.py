"""Where the queues stand in Compose and Kubernetes: what `make topology` writes there.

    Compose      a worker service for each class, with all queues of that class
    Kubernetes   a Deployment for each queue, so that each has its own number of pods: `worker-cpu` and `worker-io` are
                 written by hand and serve the queue of their class's name; every other queue has a copy of its class's,
                 which kustomize makes, named `worker-<class>-<queue>`
    KEDA         a ScaledObject for each Deployment, which asks of the production overlay's namespace

Files that are written whole begin with MARK; `compose/stack.yaml` is written by hand but for the queues' names.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from warren.delivery.topology import QueueSpec

MARK = "# Written by `make topology` from src/warren/config/queues.py.\n"

STACK = Path("compose/stack.yaml")
BASE = Path("k8s/base")
KEDA = Path("k8s/components/keda")
PRODUCTION = Path("k8s/overlays/production/kustomization.yaml")

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"

# Seconds that WORKER_SOFT_SHUTDOWN_S is longer than the queue's `drain_s`, and terminationGracePeriodSeconds than that.
SOFT_SHUTDOWN_MARGIN_S = 5
HANDING_BACK_S = 25
# A job may have waited for so long; for twice as long there shall be two workers, and so on.
OLDEST_WAIT_S = 30
MOST_WORKERS = 6


def files(root: Path, specs: Iterable[QueueSpec]) -> dict[Path, str | None]:
    """Text by path, as it should be; None for a file that should not be there. Raises `ValueError`."""
    specs = tuple(specs)
    left_over: dict[Path, str | None] = dict.fromkeys(_written_before(root))
    return (
        left_over
        | {STACK: _stack((root / STACK).read_text(), specs)}
        | _kubernetes(specs)
        | _keda(specs, namespace(root))
    )


def deployment(spec: QueueSpec) -> str:
    """The name of the Deployment that serves the queue. Raises `ValueError` where Kubernetes would not take it."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", spec.name):
        raise ValueError(f"queue {spec.name!r}: use small letters, digits and dashes, 40 at most, as Kubernetes does")
    return f"worker-{spec.worker}" if spec.name == spec.worker else f"worker-{spec.worker}-{spec.name}"


def namespace(root: Path) -> str:
    """Where the production overlay puts Warren: one Prometheus may watch several Warrens, and others' processes.

    Raises `ValueError`.
    """
    found = re.search(r"^namespace: *([a-z0-9-]+)$", (root / PRODUCTION).read_text(), re.MULTILINE)
    if not found:
        raise ValueError(f"{PRODUCTION} names no namespace")
    return found[1]


def _stack(text: str, specs: tuple[QueueSpec, ...]) -> str:
    for worker in ("cpu", "io"):
        queues = ",".join(spec.name for spec in specs if spec.worker == worker)
        variable = f"WORKER_{worker.upper()}_QUEUES"
        text, found = re.subn(rf"\$\{{{variable}:-[^}}]*\}}", f"${{{variable}:-{queues}}}", text)
        if found != 1:
            raise ValueError(f"{STACK} names {variable} {found} times; once is what can be written")
    return text


def _kubernetes(specs: tuple[QueueSpec, ...]) -> dict[Path, str]:
    listed = "".join(f"  - ../{deployment(spec)}\n" for spec in specs)
    made = {BASE / "workers/kustomization.yaml": f"{MARK}{KUSTOMIZATION}resources:\n{listed}"}
    copies = [spec for spec in specs if spec.name != spec.worker]
    return made | {BASE / deployment(spec) / "kustomization.yaml": _copy(spec) for spec in copies}


def _copy(spec: QueueSpec) -> str:
    soft_shutdown_s = max(20, spec.drain_s + SOFT_SHUTDOWN_MARGIN_S)
    return f"""{MARK}# {spec.name}: {spec.purpose}
{KUSTOMIZATION}resources:
  - ../worker-{spec.worker}
nameSuffix: -{spec.name}
labels:
  - pairs: {{app.kubernetes.io/name: {deployment(spec)}}}
    includeSelectors: true
    includeTemplates: true
patches:
  - target: {{kind: Deployment}}
    patch: |-
      - op: add
        path: /spec/template/spec/containers/0/env
        value:
          - {{name: WORKER_QUEUES, value: "{spec.name}"}}
          - {{name: WORKER_SOFT_SHUTDOWN_S, value: "{soft_shutdown_s}"}}
      - op: replace
        path: /spec/template/spec/terminationGracePeriodSeconds
        value: {soft_shutdown_s + HANDING_BACK_S}
"""


def _keda(specs: tuple[QueueSpec, ...], ours: str) -> dict[Path, str]:
    made = {KEDA / f"queues/{deployment(spec)}.yaml": _scaled_object(spec, ours) for spec in specs}
    listed = "".join(f"  - {path.name}\n" for path in made)
    return made | {KEDA / "queues/kustomization.yaml": f"{MARK}{KUSTOMIZATION}resources:\n{listed}"}


def _scaled_object(spec: QueueSpec, ours: str) -> str:
    return f"""{MARK}# A worker for each {spec.messages_per_worker} messages that wait or run, or for each
# {OLDEST_WAIT_S} s that the oldest has waited, whichever asks for more. Never none; one a minute goes.
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {deployment(spec)}
spec:
  scaleTargetRef: {{name: {deployment(spec)}}}
  pollingInterval: 15
  minReplicaCount: 1
  maxReplicaCount: {MOST_WORKERS}
  # when neither can be asked, two do the work meanwhile
  fallback: {{failureThreshold: 4, replicas: 2}}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          policies: [{{type: Pods, value: 2, periodSeconds: 30}}]
        scaleDown:
          stabilizationWindowSeconds: 300
          policies: [{{type: Pods, value: 1, periodSeconds: 60}}]
  triggers:
    - type: rabbitmq
      metricType: AverageValue
      authenticationRef: {{name: rabbitmq-management}}
      metadata:
        # by the management API, because over AMQP only waiting messages are told, and a worker that runs one is busy
        protocol: http
        mode: QueueLength
        queueName: {spec.name}
        vhostName: warren
        excludeUnacknowledged: "false"
        value: "{spec.messages_per_worker}"
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: http://prometheus.monitoring.svc:9090
        query: max(warren_queue_oldest_wait_seconds{{namespace="{ours}", queue="{spec.name}"}})
        threshold: "{OLDEST_WAIT_S}"
        # no figure is no zero: when nobody tells how long, that is an error, and the fallback counts
        ignoreNullValues: "false"
"""


def _written_before(root: Path) -> list[Path]:
    found = [*(root / BASE).glob("worker*/kustomization.yaml"), *(root / KEDA).glob("queues/*.yaml")]
    return [path.relative_to(root) for path in found if path.read_text().startswith(MARK)]

"""Defects that policies/rollouts.py must notice."""

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of, of_container, of_deployment, of_pod, settings, without
from tests.check.k8s.policies import rollouts

CASES: Cases = (
    (
        rollouts.strategies,
        "dev",
        {
            "fewer web during a rollout": of_deployment(
                "web", lambda each: each["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1)
            ),
            "fewer relays while migrate fails": of_deployment(
                "relay", lambda each: each["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1)
            ),
            "never rolls": of_deployment(
                "beat", lambda each: each["spec"]["strategy"]["rollingUpdate"].update(maxSurge=0)
            ),
            "all at once": of_deployment("relay", lambda each: each["spec"].update(strategy={"type": "Recreate"})),
        },
    ),
    (
        rollouts.history_and_deadline,
        "dev",
        {
            "no revision to go back to": of_deployment("web", lambda each: each["spec"].update(revisionHistoryLimit=0)),
            "given up while migrate runs": of_deployment(
                "web", lambda each: each["spec"].pop("progressDeadlineSeconds")
            ),
        },
    ),
    (
        rollouts.grace,
        "dev",
        {
            "a worker is killed in its soft shutdown": of_pod(
                "worker-io", lambda pod: pod.update(terminationGracePeriodSeconds=30)
            ),
            "the soft shutdown is shorter than the usual jobs": settings("worker", WORKER_SOFT_SHUTDOWN_S="10"),
            "the soft shutdown outlasts the grace": settings("worker", WORKER_SOFT_SHUTDOWN_S="60"),
            "web is killed among its last requests": of_pod(
                "web", lambda pod: pod.update(terminationGracePeriodSeconds=30)
            ),
            "the relay is killed in a pass": of_pod("relay", lambda pod: pod.update(terminationGracePeriodSeconds=15)),
        },
    ),
    (
        rollouts.drains_endpoints_only,
        "dev",
        {
            "web stops at once": of_container("web", lambda each: each.pop("lifecycle")),
            "a worker sleeps first": of_container(
                "worker-cpu", lambda each: each.update(lifecycle={"preStop": {"sleep": {"seconds": 5}}})
            ),
        },
    ),
    (
        rollouts.waits_for_migrations,
        "dev",
        {
            "starts at once": of_pod("beat", lambda pod: pod.pop("initContainers")),
            "waits for another release": of_pod(
                "web", lambda pod: pod["initContainers"][0].update(image="warren-web:old")
            ),
            "waits as another role": of_pod("web", lambda pod: pod["initContainers"][0]["envFrom"].pop()),
            "waits without its secrets": of_pod(
                "web", lambda pod: pod["initContainers"][0]["volumeMounts"].append({"mountPath": "/x"})
            ),
        },
    ),
    (
        rollouts.migrates_once,
        "dev",
        {
            "nobody migrates": without("Job", "migrate"),
            "two migrate": of("Job", "migrate", lambda each: each["spec"].update(parallelism=2)),
            "migrates for ever": of("Job", "migrate", lambda each: each["spec"].pop("activeDeadlineSeconds")),
            "a Job that cannot be made anew": of("Job", "migrate", lambda each: each["metadata"].pop("annotations")),
            "a Job that goes by itself": of(
                "Job", "migrate", lambda each: each["spec"].update(ttlSecondsAfterFinished=600)
            ),
            "migrates another release": of(
                "Job",
                "migrate",
                lambda each: each["spec"]["template"]["spec"]["containers"][0].update(image="warren-web:old"),
            ),
        },
    ),
    (
        rollouts.spread,
        "dev",
        {
            "all on one node": of_pod("web", lambda pod: pod["topologySpreadConstraints"].pop(0)),
            "all in one zone": of_pod("relay", lambda pod: pod["topologySpreadConstraints"].pop(1)),
            "spreads somebody else": of_pod(
                "web",
                lambda pod: pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update(
                    {"app.kubernetes.io/name": "beat"}
                ),
            ),
            "does not start on one node": of_pod(
                "web", lambda pod: pod["topologySpreadConstraints"][0].update(whenUnsatisfiable="DoNotSchedule")
            ),
        },
    ),
)

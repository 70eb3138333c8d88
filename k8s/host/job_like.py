"""Prints a Job that runs a command once as another workload runs: `python k8s/host/job_like.py JSON NAME COMMAND…`.

JSON is a Job or a CronJob as the cluster has it. The pod is its pod, with its image, settings, secrets, volumes and, by
its labels, its ways through the network; only the name and the command are others.
"""

import copy
import json
import sys
from typing import Any

# by which a Job finds its own pods; Kubernetes gives the new one others
OF_THE_OLD_JOB = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name")


def job_like(other: dict[str, Any], *, name: str, command: list[str]) -> dict[str, Any]:
    """The Job. It is tried once: whoever called sees what went wrong, and decides."""
    spec = other["spec"]["jobTemplate"]["spec"] if other["kind"] == "CronJob" else other["spec"]
    template = copy.deepcopy(spec["template"])
    template["spec"]["containers"][0]["command"] = command
    labels = template["metadata"]["labels"]
    template["metadata"] = {"labels": {key: value for key, value in labels.items() if key not in OF_THE_OLD_JOB}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "warren"}},
        "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 14400, "template": template},
    }


if __name__ == "__main__":
    made = job_like(json.loads(sys.argv[1]), name=sys.argv[2], command=sys.argv[3:])
    sys.stdout.write(json.dumps(made))

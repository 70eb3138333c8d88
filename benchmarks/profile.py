"""`make bench/profile`: where Warren's processes spend their CPU time, as text in results/profile.txt.

py-spy samples from a container beside each, in its process namespace, so the images are profiled as they ship.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import stacks
from benchmarks.catalogue import WARREN
from benchmarks.project import ROOT, CommandFailedError, Project
from benchmarks.rounds import say
from benchmarks.works import ACCEPT_EACH, DRAIN, IO_SHORT, Work

RESULT = Path(__file__).parent / "results" / "profile.txt"
# which process, by a part of its command line; the worker's children are sampled with it
PROCESSES = {"web": "benchmarks.harness", "relay": "relay"}
IN_WORKERS = "celery"


def main() -> None:
    """Profile a run of `accept`, one of `drain`, and one of `io20`."""
    parser = argparse.ArgumentParser(prog="make bench/profile")
    parser.add_argument("--count", type=int, default=5000, help="jobs")
    parser.add_argument("--seconds", type=int, default=8, help="how long to sample, at most while the jobs last")
    given = parser.parse_args()
    image = f"warren-bench-profiler:{os.environ.get('WARREN_TAG', 'latest')}"
    _run("docker", "compose", "--file", str(ROOT / "benchmarks/profiler/compose.yaml"), "build", "--quiet")
    with tempfile.TemporaryDirectory() as folder:
        project = Project(WARREN, Path(folder))
        try:
            project.create()
            parts = [_profile(project, work, given, image=image) for work in (ACCEPT_EACH, DRAIN, IO_SHORT)]
        finally:
            project.remove()
    RESULT.write_text("\n\n".join(parts) + "\n")
    sys.stdout.write(RESULT.read_text())


def _profile(project: Project, work: Work, given: argparse.Namespace, *, image: str) -> str:
    say(f"profiling {work.name}")
    containers = project.containers()
    project.clear()
    worker = WARREN.worker(work.kind)
    if work is ACCEPT_EACH:
        project.start(worker)
    else:
        project.halt(*WARREN.workers)
    with ThreadPoolExecutor() as threads:
        sampling = {}
        for line in project.harness(*work.arguments(given.count)):
            event = json.loads(line)["event"]
            if event == "filled":
                project.start(worker)
            if event in ("begin", "first"):
                sampling = {
                    service: threads.submit(_sampled, image, containers[service], pattern, given.seconds)
                    for service, pattern in {**PROCESSES, worker: IN_WORKERS}.items()
                }
        parts = [f"{service}\n{each.result()}" for service, each in sampling.items()]
    return "\n\n".join([f"== {work.title}: {given.count} jobs", *parts])


def _sampled(image: str, container: str, pattern: str, seconds: int) -> str:
    beside = ("--pid", f"container:{container}", "--network", "none", "--cap-drop", "ALL", "--cap-add", "SYS_PTRACE")
    try:
        raw = _run("docker", "run", "--rm", *beside, image, "record", pattern, str(seconds))
    except CommandFailedError as exc:
        return f"not sampled: {exc}"
    return "\n".join(stacks.text(each) for each in stacks.read(raw))


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailedError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()

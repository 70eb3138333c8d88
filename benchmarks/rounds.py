"""The order of a run: every set-up once in each round, one up at a time, so that all meet the same weather."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.catalogue import Setup
from benchmarks.measure import Measurement, measure
from benchmarks.project import CommandFailedError, Project
from benchmarks.works import Work


def run(
    setups: Sequence[Setup], works: Sequence[Work], *, rounds: int, scale: float, folder: Path
) -> Iterator[Measurement]:
    """Yields each measurement as it is made."""
    with ExitStack() as stack:
        projects = [_prepared(setup, folder, stack) for setup in setups]
        for number in range(1, rounds + 1):
            for project in projects:
                yield from _turn(project, works, number=number, scale=scale)


def _prepared(setup: Setup, folder: Path, stack: ExitStack) -> Project:
    """Made, and stopped again: the containers and their data wait for their turn."""
    say(f"{setup.name}: preparing")
    project = Project(setup, folder)
    project.build()
    stack.callback(project.remove)
    try:
        project.create()
    except CommandFailedError:
        say(project.logs())
        raise
    project.halt()
    return project


def _turn(project: Project, works: Sequence[Work], *, number: int, scale: float) -> Iterator[Measurement]:
    project.up()
    for work in works:
        if project.setup.works and work.name not in project.setup.works:
            continue
        made = measure(project, work, number=number, scale=scale)
        say(f"{project.setup.name}: round {number}: {_shown(made)}")
        if made.void:
            say(project.logs(project.setup.worker(work.kind)))
        yield made
    project.halt()


def _shown(made: Measurement) -> str:
    if made.void:
        return f"{made.work}: VOID: {made.void}"
    cpu = ", ".join(f"{name} {1000 * used / made.count:.2f}" for name, used in sorted(made.cpu_s.items()))
    return f"{made.work}: {made.count} jobs in {made.span_s:.2f} s, {made.rate:.0f}/s; CPU ms a job: {cpu}"


def say(text: str) -> None:
    """Progress, for whoever waits."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()

"""One measurement of one set-up."""

import json
from dataclasses import dataclass, field
from typing import Any

from benchmarks.engine import Engine
from benchmarks.project import CommandFailedError, Project
from benchmarks.works import Work

LEAST_JOBS = 20


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What came out. `void` says why it must not be believed; empty if it may be. `cpu_s` is by service."""

    setup: str
    work: str
    round: int
    count: int = 0
    span_s: float = 0.0
    submit_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    void: str = ""

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.count / self.span_s if self.span_s else 0.0

    @property
    def job_s(self) -> float:
        """Seconds a job, of all that run at once."""
        return self.span_s / self.count

    @property
    def job_cpu_s(self) -> float:
        """Processor seconds a job, of all services."""
        return sum(self.cpu_s.values()) / self.count


def measure(project: Project, work: Work, *, number: int, scale: float) -> Measurement:
    """Give the set-up this work. `number` is the round's; `scale` is the part of the jobs to do."""
    setup, worker = project.setup, project.setup.worker(work.kind)
    count = max(LEAST_JOBS, round(work.count * scale * setup.share))
    others = [name for name in setup.workers if name != worker]
    drains = work.measurement == "drain"
    if stopping := [*others, *([worker] if drains else [])]:
        project.halt(*stopping)
    project.clear()
    if not drains:
        project.start(worker)
    try:
        told = _run(project, work.arguments(count), starts=worker)
    except CommandFailedError as exc:
        return Measurement(setup=setup.name, work=work.name, round=number, void=_reason(exc))
    correct = told.pop("correct")
    void = "" if correct else "not every job's result was stored, or some were wrong"
    return Measurement(setup=setup.name, work=work.name, round=number, void=void, **told)


def _reason(error: CommandFailedError) -> str:
    """The exception that ended the harness: what follows it may be any library's parting words."""
    lines = str(error).strip().splitlines()
    raised = [line for line in lines if "Error: " in line or "Exception" in line]
    return (raised or lines)[-1].strip()


def _run(project: Project, arguments: tuple[str, ...], *, starts: str) -> dict[str, Any]:
    """Run the harness; reads processor times when the clock starts and when it stops."""
    engine, containers, before = Engine(), project.containers(), {}
    for line in project.harness(*arguments):
        told: dict[str, Any] = json.loads(line)
        match told.pop("event"):
            case "filled":
                project.start(starts)
            case "begin" | "first":
                before = engine.cpu_s(containers)
            case "end":
                after = engine.cpu_s(containers)
                used = {name: after[name] - before[name] for name in before if after[name]}
                return told | {"cpu_s": used}
    raise CommandFailedError("the harness ended without a result")

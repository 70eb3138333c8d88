"""The set-ups that are compared. Adding one is adding a folder in setups/ and an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

WARREN_FILES = ("compose/stack.yaml", "benchmarks/setups/warren/compose.yaml")
WARREN_VALUES = {"WORKER_CPU_CONCURRENCY": "2", "WORKER_IO_CONCURRENCY": "100"}
NO_EVENTS = {"WORKER_SEND_TASK_EVENTS": "false"}

_TRUNCATE = "TRUNCATE warren_job, warren_outbox CASCADE"
_PSQL = ("psql", "--quiet", "--username", "warren", "--dbname", "warren", "--command")


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One stack to measure. `always` runs all the time; of the workers, only the one that the work needs."""

    name: str
    title: str
    files: tuple[str, ...]
    always: tuple[str, ...]
    cpu_worker: str = "worker"
    io_worker: str = "worker-io"
    submitter: str = "submitter"
    values: Mapping[str, str] = field(default_factory=dict)
    clear: tuple[tuple[str, ...], ...] = ()
    python_path: str = "/bench"
    builds: bool = True
    # how many of the asked-for jobs are enough for a slow one; its rate does not depend on it
    share: float = 1.0
    only: tuple[str, ...] = ()

    def worker(self, kind: str) -> str:
        """Which service does this kind of work."""
        return self.io_worker if kind == "wait" else self.cpu_worker


WARREN = Setup(
    name="warren",
    title="Warren",
    files=WARREN_FILES,
    always=("postgres", "rabbitmq", "relay"),
    cpu_worker="worker-cpu",
    submitter="web",
    values=WARREN_VALUES | NO_EVENTS,
    clear=(("postgres", *_PSQL, _TRUNCATE),),
    python_path="/bench:/srv/src",
    builds=False,  # make has built them
)
SETUPS = (WARREN,)

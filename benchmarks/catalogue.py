"""The set-ups that are compared. Adding one is adding a folder in setups/ and an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

WARREN_FILES = ("compose/stack.yaml", "benchmarks/setups/warren/compose.yaml")
WARREN_VALUES = {"WORKER_CPU_CONCURRENCY": "2", "WORKER_IO_CONCURRENCY": "100"}
NO_EVENTS = {"WORKER_SEND_TASK_EVENTS": "false"}

_TRUNCATE = "TRUNCATE warren_job, warren_outbox CASCADE"
_FORGET = "DELETE FROM warren_job WHERE task LIKE 'bench.%'"
_PSQL = ("postgres", "psql", "--quiet", "--username", "warren", "--dbname", "warren", "--command")
_FLUSH = ("valkey", "valkey-cli", "flushall")

THROUGHPUT = ("accept", "bulk", "drain")
WITH_WAITS = ("cpu20", "io20", "io200")


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
    # commands, each preceded by the service that it runs in: once, with a worker running; and before each measurement
    load: tuple[tuple[str, ...], ...] = ()
    clear: tuple[tuple[str, ...], ...] = ()
    python_path: str = "/bench"
    builds: bool = True
    # how many of the asked-for jobs are enough for a slow one; its rate does not depend on it
    share: float = 1.0
    # the names of the works that it is given; empty: all
    works: tuple[str, ...] = ()

    @property
    def workers(self) -> tuple[str, ...]:
        """Both kinds, where it has both."""
        return tuple(filter(None, (self.cpu_worker, self.io_worker)))

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
    clear=((*_PSQL, _TRUNCATE),),
    python_path="/bench:/bench/benchmarks/setups/warren:/srv/src",
    builds=False,  # make has built them
)
LOADED = replace(
    WARREN,
    name="warren-loaded",
    title="Warren, with 1 M finished and 100 k waiting jobs",
    values={**WARREN.values, "MAX_WAITING_JOBS": "1000000"},  # or web would refuse what is measured
    load=(("web", "env", f"PYTHONPATH={WARREN.python_path}", "python", "-m", "history"),),
    clear=((*_PSQL, _FORGET, "--command", "VACUUM ANALYZE warren_job, warren_outbox"),),
    works=(*THROUGHPUT, "latency20"),
)
WATCHED = replace(
    WARREN,
    name="warren-watched",
    title="Warren, with its events and Flower",
    always=(*WARREN.always, "flower"),
    values=WARREN_VALUES,
    works=THROUGHPUT,
)


def _peer(name: str, title: str, **differences: Any) -> Setup:
    return Setup(
        name=name, title=title, files=(f"benchmarks/setups/{name}/compose.yaml",), values={"SETUP": name}, **differences
    )


FLOOR = _peer(
    "floor",
    "floor: no framework, jobs claimed and finished one at a time",
    always=("postgres", "rabbitmq"),
    io_worker="",
    clear=((*_PSQL, "DROP TABLE IF EXISTS job"),),
    works=THROUGHPUT,
)
SETUPS = (
    WARREN,
    LOADED,
    WATCHED,
    _peer("guide", "the guide: Celery, Redis, Redis results", always=("valkey",), clear=(_FLUSH,)),
    _peer(
        "cookiecutter",
        "cookiecutter-django: Celery, Redis, Redis results, events",
        always=("postgres", "valkey"),
        clear=(_FLUSH,),
    ),
    _peer(
        "django_db",
        "Celery, RabbitMQ, django-db results",
        always=("postgres", "rabbitmq"),
        clear=((*_PSQL, "TRUNCATE django_celery_results_taskresult"),),
        share=0.1,
    ),
    _peer("dramatiq", "dramatiq, RabbitMQ, Redis results", always=("rabbitmq", "valkey"), clear=(_FLUSH,)),
    _peer(
        "procrastinate",
        "procrastinate, Postgres",
        always=("postgres",),
        clear=((*_PSQL, "TRUNCATE procrastinate_jobs CASCADE"),),
        works=(*THROUGHPUT, *WITH_WAITS),  # it has no way to wait for a result
    ),
    FLOOR,
    replace(
        FLOOR,
        name="floor-batched",
        title="floor: no framework, jobs claimed and finished fifty at a time",
        values={"SETUP": "floor", "BATCH": "50"},
    ),
)

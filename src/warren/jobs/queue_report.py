"""What `manage.py queues` tells: Postgres' part always, the broker's as far as it answers.

    {"at", "broker": {"kind": "rabbitmq" or "redis", "error": null or why it cannot be asked, "dead_letters"},
     "queues": [{"name", "waiting", "due_later", "running", "oldest_wait_s", "failed", "dead", "per_minute", "workers",
                 "messages", "consumers"}, …]}

`messages` and `consumers` are null where the broker cannot be asked or does not know (Redis knows no consumers), or has
no such queue, and then `missing` is true. `failed` is of the last hour, `per_minute` what ended in the last five
minutes, `oldest_wait_s` null where nothing waits.
"""

from typing import Any

from celery import Celery
from django.db import connection
from django.utils import timezone
from rich.console import Console
from rich.text import Text

from warren.delivery import broker_depths, queue_figures, queue_questions, topology
from warren.delivery.broker_depths import Depth
from warren.delivery.publisher import BrokerError
from warren.delivery.queue_figures import QueueFigures
from warren.jobs.spans import in_words
from warren.jobs.terminal import Column, show_table, styled

NOT_KNOWN = "?"
BAD, GOOD, DIM = "bold red", "green", "dim"
_QUESTIONS = (queue_questions.OPEN, queue_questions.ENDED_LATELY, queue_questions.DEAD, queue_questions.WORKERS)
_COLUMNS = (
    Column(title="QUEUE"),
    Column(title="WAITING", number=True),
    Column(title="OLDEST", number=True),
    Column(title="RUNNING", number=True),
    Column(title="LATER", number=True, rank=3),
    Column(title="FAILED/H", number=True),
    Column(title="DEAD", number=True),
    Column(title="PER_MIN", number=True, rank=1),
    Column(title="WORKERS", number=True),
    Column(title="CONSUMERS", number=True),
    Column(title="IN_BROKER", number=True, rank=2),
)


def gather(app: Celery) -> dict[str, Any]:
    """The document of the module's docstring. Raises Django's database errors where Postgres cannot be asked."""
    with connection.cursor() as cursor:
        figures = queue_figures.by_queue(cursor, *_QUESTIONS)
    names = [*app.amqp.queues, *sorted(figures.keys() - set(app.amqp.queues))]
    is_redis = topology.is_redis(app)
    depths, error = _depths(app, names if is_redis else [*names, topology.DEAD_LETTER_QUEUE])
    dead_letters = depths.pop(topology.DEAD_LETTER_QUEUE, None)
    return {
        "at": timezone.now(),
        "broker": {
            "kind": "redis" if is_redis else "rabbitmq",
            "error": error,
            "dead_letters": dead_letters and dead_letters.messages,
        },
        "queues": [_row(name, figures.get(name, QueueFigures()), depths.get(name), asked=not error) for name in names],
    }


def show(out: Console, report: dict[str, Any]) -> None:
    """A line for each queue; below it what is wrong with the broker."""
    show_table(out, _COLUMNS, [_cells(queue) for queue in report["queues"]])
    broker = report["broker"]
    if broker["error"]:
        out.print(styled(f"The broker cannot be asked ({broker['error']}); all else is from Postgres.", BAD))
    for queue in report["queues"]:
        if queue["missing"]:
            out.print(styled(f"Queue {queue['name']} is not there: `docker compose up migrate` makes it.", BAD))
    if broker["dead_letters"]:
        out.print(styled(f"{broker['dead_letters']} dead letters wait for the relay.", BAD))


def _depths(app: Celery, names: list[str]) -> tuple[dict[str, Depth | None], str | None]:
    try:
        return broker_depths.ask(app, names), None
    except BrokerError as exc:
        return {}, str(exc)


def _row(name: str, figures: QueueFigures, depth: Depth | None, *, asked: bool) -> dict[str, Any]:
    return {
        "name": name,
        "waiting": figures.waiting,
        "due_later": figures.later,
        "running": figures.running,
        "oldest_wait_s": figures.oldest_wait_s,
        "failed": figures.failed,
        "dead": figures.dead,
        "per_minute": figures.per_minute,
        "workers": figures.workers,
        "messages": depth and depth.messages,
        "consumers": depth and depth.consumers,
        "missing": asked and depth is None,
    }


def _cells(queue: dict[str, Any]) -> list[Text]:
    wait_s, nobody = queue["oldest_wait_s"], queue["consumers"] == 0
    return [
        styled(queue["name"], "bold"),
        styled(queue["waiting"]),
        styled("-" if wait_s is None else in_words(wait_s)),
        styled(queue["running"], GOOD if queue["running"] else ""),
        styled(queue["due_later"], DIM),
        styled(queue["failed"], "red" if queue["failed"] else DIM),
        styled(queue["dead"], BAD if queue["dead"] else DIM),
        styled(f"{queue['per_minute']:.0f}"),
        styled(queue["workers"], "" if queue["workers"] else BAD),
        styled(_known(queue["consumers"]), BAD if nobody else ""),
        styled(_known(queue["messages"])),
    ]


def _known(number: int | None) -> str:
    return NOT_KNOWN if number is None else str(number)

"""`manage.py queues`: Postgres' part, and the broker's from a real one."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from celery.app import app_or_default
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from kombu import Connection, Queue

from warren.delivery import conftest as delivery
from warren.delivery import history
from warren.delivery.models import Worker
from warren.delivery.states import State
from warren.jobs import spans
from warren.jobs.conftest import MakeJob
from warren.jobs.management.commands import queues as queues_command

pytestmark = pytest.mark.django_db

NOBODY = "pyamqp://127.0.0.1:1//"  # no service has this port
REDIS = f"redis://default:{settings.BROKER_PASSWORD}@redis:6379/0"

# the declared queues, in the real broker
app, queues = delivery.app, delivery.queues

type Say = Callable[..., str]


@pytest.fixture
def say() -> Say:
    """Runs the command; returns what it printed, whatever its exit code."""

    def run(*arguments: str, code: int = 0) -> str:
        out = io.StringIO()
        try:
            call_command("queues", *arguments, stdout=out)
        except SystemExit as exc:
            assert exc.code == code  # noqa: PT017  raised or not, as the caller says
        else:
            assert code == 0
        return out.getvalue()

    return run


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this address the app's broker."""
    return lambda url: monkeypatch.setattr(app_or_default().conf, "broker_write_url", url)


def _queue(said: str, name: str) -> dict[str, object]:
    (found,) = [queue for queue in json.loads(said)["queues"] if queue["name"] == name]
    return dict(found)


@pytest.mark.usefixtures("queues")
def test_it_tells_how_each_queue_stands(say: Say, make_job: MakeJob) -> None:
    now = timezone.now()
    make_job(State.QUEUED, available_at=now - timedelta(minutes=3))
    make_job(State.ACCEPTED)
    make_job(State.ACCEPTED, available_at=now + timedelta(hours=1))
    make_job(State.RUNNING)
    make_job(State.FAILED, finished_at=now - timedelta(minutes=10))
    make_job(State.FAILED, finished_at=now - timedelta(hours=2))
    for _ in range(10):
        make_job(State.SUCCEEDED, finished_at=now - timedelta(minutes=1))
    make_job(State.CANCELLED, finished_at=now)
    history.record([make_job(State.DEAD, finished_at=now - timedelta(days=1)).pk], kind=history.DEAD)
    history.record([make_job(State.SUCCEEDED, finished_at=now - timedelta(days=1)).pk], kind=history.DEAD)
    for seen_at in (now, now - timedelta(minutes=5)):
        Worker.objects.create(
            id=uuid4(), name="w", pool="prefork", concurrency=2, queues="cpu,special", seen_at=seen_at
        )

    told = _queue(say("--json"), "cpu")

    assert 150 < float(str(told.pop("oldest_wait_s"))) < 200
    assert told == {
        "name": "cpu",
        "waiting": 2,
        "due_later": 1,
        "running": 1,
        "failed": 1,
        "dead": 1,
        "per_minute": 2.0,
        "workers": 1,
        "messages": 0,
        "consumers": 0,
        "missing": False,
    }


def test_it_tells_what_the_broker_holds_and_who_consumes(say: Say, queues: dict[str, Queue]) -> None:
    with app_or_default().connection_for_write() as connection, connection.Consumer([queues["io"]], no_ack=False):
        connection.Producer(auto_declare=False).publish({}, routing_key="dead")
        said = say("--json")
    queues["dead"].purge()

    assert (_queue(said, "io")["consumers"], _queue(said, "cpu")["consumers"]) == (1, 0)
    assert json.loads(said)["broker"]["kind"] == "rabbitmq"
    assert json.loads(said)["broker"]["error"] is None


def test_it_says_that_a_queue_is_missing(say: Say, queues: dict[str, Queue]) -> None:
    queues["io"].delete()

    assert _queue(say("--json"), "io")["missing"]
    assert "Queue io is not there: `docker compose up migrate` makes it." in say()


def test_it_shows_postgres_part_where_the_broker_is_away(
    say: Say, make_job: MakeJob, broker: Callable[[str], None]
) -> None:
    make_job(State.QUEUED)
    broker(NOBODY)

    said = say(code=1)
    told = json.loads(say("--json", code=1))

    assert "The broker cannot be asked (" in said
    assert "all else is from Postgres" in said
    (line,) = [line.split() for line in said.splitlines() if line.startswith("cpu")]
    assert (line[1], line[-2:]) == ("1", ["?", "?"])
    assert "refused" in told["broker"]["error"]
    assert [(queue["messages"], queue["consumers"], queue["missing"]) for queue in told["queues"]] == [
        (None, None, False)
    ] * 2


def test_it_asks_redis_where_that_is_the_broker(say: Say, broker: Callable[[str], None]) -> None:
    broker(REDIS)
    with Connection(REDIS) as connection:
        client = connection.default_channel.client  # type: ignore[attr-defined]  # Redis' own
        client.delete("cpu")
        client.lpush("cpu", "1", "2")
        told = json.loads(say("--json"))
        client.delete("cpu")

    assert told["broker"] == {"kind": "redis", "error": None, "dead_letters": None}
    assert {queue["name"]: (queue["messages"], queue["consumers"]) for queue in told["queues"]} == {
        "cpu": (2, None),
        "io": (0, None),
    }


@pytest.mark.usefixtures("queues")
def test_it_shows_columns_that_a_pipe_understands(say: Say) -> None:
    heading, *lines = say().splitlines()

    assert heading.split()[:4] == ["QUEUE", "WAITING", "OLDEST", "RUNNING"]
    assert [line.split()[:3] for line in lines] == [["cpu", "0", "-"], ["io", "0", "-"]]


@pytest.mark.usefixtures("queues")
def test_it_watches_until_it_is_interrupted(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(queues_command, "time", SimpleNamespace(sleep=pause))

    pages = say("--watch", code=130)
    pauses.clear()
    documents = [json.loads(line) for line in say("--watch", "--json", code=130).splitlines()]

    assert [line.split()[0] for line in pages.splitlines() if line.startswith("QUEUE")] == ["QUEUE"] * 2
    assert [document["queues"][0]["name"] for document in documents] == ["cpu", "cpu"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (0.4, "0.4 s"), (90, "90 s"), (150, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_lengths_of_time_are_short(seconds: float, said: str) -> None:
    assert spans.in_words(seconds) == said

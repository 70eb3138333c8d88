from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from celery.app import app_or_default
from django.conf import settings
from kombu import Queue

from warren.config.provisioning import broker as provisioning
from warren.config.provisioning import management
from warren.delivery import conftest as delivery
from warren.delivery.topology import LOSABLE_EXCHANGE
from warren.doctor.checks import rabbitmq, rabbitmq_alarms, rabbitmq_arguments, rabbitmq_queues
from warren.doctor.finding import Status
from warren.outbound.conftest import LocalServer, QuietHandler

PASSWORD = "for-tests-only"  # noqa: S105  of a broker that lives in memory
VHOST = "doctor"
HOST = str(urlsplit(settings.CELERY_BROKER_URL).hostname)

wait_until = delivery.wait_until

type Address = Callable[..., None]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Address:
    """Makes this the broker's address."""

    def use(url: str = "", *, user: str = provisioning.ADMIN, password: str = PASSWORD, vhost: str = VHOST) -> None:
        url = url or f"pyamqp://{user}:{password}@{HOST}:5672/{vhost}"
        monkeypatch.setattr(app_or_default().conf, "broker_write_url", url)

    return use


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, address: Address) -> Iterator[httpx.Client]:
    """A virtual host of its own, provisioned, which is the broker's; yields the management API."""
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", f"pyamqp://{HOST}:5672/{VHOST}")
    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", settings.BROKER_PASSWORD)
    for user in provisioning.users():
        monkeypatch.setenv(user.password_variable, PASSWORD)
    login = (provisioning.ADMIN, settings.BROKER_PASSWORD)
    with httpx.Client(base_url=f"http://{HOST}:{management.PORT}/api/", auth=login) as client:
        list(provisioning.provision())
        address()
        yield client
        client.delete(f"vhosts/{VHOST}")


@pytest.mark.usefixtures("api")
def test_all_is_well_as_provisioned_but_for_consumers() -> None:
    checks = [*rabbitmq.CHECKS, *rabbitmq_queues.CHECKS, *rabbitmq_arguments.CHECKS, *rabbitmq_alarms.CHECKS]

    found = {check.name: check.examine() for check in checks}

    assert {name for name, finding in found.items() if finding.status is not Status.OK} == {"rabbitmq.consumers"}
    assert "RabbitMQ 4." in found["rabbitmq.reachable"].found
    assert PASSWORD not in str(found)


@pytest.mark.parametrize(
    ("options", "said", "do"),
    [
        ({"password": "wrong"}, "refuses user 'admin'", "--force-recreate secrets rabbitmq"),
        ({"vhost": "another"}, "virtual host 'another' is missing", "up migrate"),
        ({"url": "pyamqp://x:secret@127.0.0.1:1//"}, "127.0.0.1:1 refuses connections", "up --detach rabbitmq"),
        ({"url": "pyamqp://x:secret@nowhere.invalid//"}, "the name 'nowhere.invalid' is not known", "up --detach"),
    ],
    ids=str,
)
def test_it_says_why_it_is_not_let_in(address: Address, options: dict[str, str], said: str, do: str) -> None:
    address(**options)

    finding = rabbitmq.reachable()

    assert finding.status is Status.FAIL
    assert said in finding.found
    assert do in finding.do
    assert "secret@" not in finding.found


def test_it_gives_up_one_that_is_frozen(address: Address, silent_port: int) -> None:
    address(f"pyamqp://x:y@127.0.0.1:{silent_port}//")

    finding = rabbitmq.reachable()

    assert finding.status is Status.FAIL
    assert "does not answer within 2 s" in finding.found
    assert "restart rabbitmq" in finding.do


@pytest.mark.usefixtures("api")
def test_a_cluster_of_which_a_node_is_away_is_worth_a_warning(address: Address) -> None:
    there = f"pyamqp://admin:{PASSWORD}@{HOST}:5672/{VHOST}"
    address(f"pyamqp://admin:x@127.0.0.1:1/{VHOST};{there}")

    finding = rabbitmq.reachable()

    assert finding.status is Status.WARN
    assert "1 of 2 nodes" in finding.found
    assert rabbitmq.rights().status is Status.OK
    assert rabbitmq_queues.there().status is Status.OK


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("user", "status"),
    [("web", Status.OK), ("worker", Status.OK), ("relay", Status.OK), ("flower", Status.FAIL)],
)
def test_it_tries_what_its_user_must_be_able_to_publish(address: Address, user: str, status: Status) -> None:
    address(user=user)

    finding = rabbitmq.rights()

    assert finding.status is status
    assert (f"user '{user}' may not publish" in finding.found) == (status is Status.FAIL)


def test_a_missing_exchange_fails(api: httpx.Client) -> None:
    api.delete(f"exchanges/{VHOST}/{LOSABLE_EXCHANGE}").raise_for_status()

    assert "is missing" in rabbitmq.rights().found


def test_a_missing_queue_fails(api: httpx.Client, address: Address) -> None:
    api.delete(f"queues/{VHOST}/io").raise_for_status()
    address(user="web")  # which needs no right for it

    finding = rabbitmq_queues.there()

    assert finding.status is Status.FAIL
    assert finding.found.startswith("missing: io;")
    assert "up migrate" in finding.do


@pytest.mark.usefixtures("api")
def test_it_names_the_queues_that_nobody_consumes() -> None:
    with app_or_default().connection_for_write() as connection:
        queues = {name: Queue(name, no_declare=True)(connection.default_channel) for name in ("cpu", "io")}
        with connection.Consumer([queues["cpu"]]):
            one = rabbitmq_queues.consumers()
        with connection.Consumer(list(queues.values())):
            both = rabbitmq_queues.consumers()

    assert one.status is Status.FAIL
    assert one.found == "nobody consumes io (0 wait)"
    assert "docker compose up --detach worker-io" in one.do
    assert (both.status, both.found) == (Status.OK, "cpu has 1, io has 1")


@pytest.mark.usefixtures("api")
def test_dead_letters_that_lie_are_worth_a_warning() -> None:
    with app_or_default().connection_for_write(transport_options={"confirm_publish": True}) as connection:
        connection.Producer(auto_declare=False).publish({}, routing_key="dead")

    finding = rabbitmq_queues.dead_letters()

    assert finding.status is Status.WARN
    assert finding.found.startswith("1 wait for the relay")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x-queue-type": "classic"}, "x-queue-type='classic', declared 'quorum'"),
        ({"x-queue-type": "quorum", "x-delivery-limit": 99}, "x-delivery-limit=99, declared 5"),
    ],
    ids=str,
)
def test_a_queue_with_other_arguments_fails(api: httpx.Client, arguments: dict[str, Any], said: str) -> None:
    api.delete(f"queues/{VHOST}/cpu").raise_for_status()
    api.put(f"queues/{VHOST}/cpu", json={"durable": True, "arguments": arguments}).raise_for_status()

    finding = rabbitmq_arguments.arguments()

    assert finding.status is Status.FAIL
    assert finding.found.startswith("queue 'cpu' has ")
    assert said in finding.found
    assert "delete_queue --vhost warren --if-empty cpu" in finding.do


def test_a_policy_that_drops_messages_fails(
    api: httpx.Client, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    policy = {"pattern": "^io$", "definition": {"max-length": 10}, "apply-to": "queues"}
    api.put(f"policies/{VHOST}/short", json=policy).raise_for_status()
    wait_until(lambda: api.get(f"queues/{VHOST}/io").json().get("policy") == "short")

    finding = rabbitmq_arguments.arguments()

    assert finding.status is Status.FAIL
    assert finding.found == "policy 'short' gives queue 'io' max-length=10"
    assert "clear_policy --vhost warren short" in finding.do


def test_an_exchange_that_leads_nowhere_fails(api: httpx.Client) -> None:
    api.delete(f"bindings/{VHOST}/e/{LOSABLE_EXCHANGE}/q/io/io").raise_for_status()

    assert "does not lead to queue 'io'" in rabbitmq_arguments.arguments().found


@pytest.mark.usefixtures("api")
def test_a_user_that_may_not_see_arguments_says_so(address: Address) -> None:
    address(user="web")

    finding = rabbitmq_arguments.arguments()

    assert finding.status is Status.SKIPPED
    assert "user 'web' may not see them" in finding.found
    assert finding.do == "docker compose run --rm --no-deps migrate python manage.py doctor"


@pytest.mark.usefixtures("api")
def test_the_administrators_password_is_used_where_no_other_is_at_hand(address: Address) -> None:
    address(f"pyamqp://{HOST}:5672/{VHOST}")

    assert rabbitmq.reachable().status is Status.OK
    assert rabbitmq_arguments.arguments().status is Status.OK


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, address: Address) -> Iterator[dict[str, float]]:
    """What a node publishes; change it."""
    told = dict.fromkeys(rabbitmq_alarms.NAMES, 0.0)
    told |= {rabbitmq_alarms.FREE: 9e9, rabbitmq_alarms.LEAST: 5e8, rabbitmq_alarms.CUT_OFF: 0.0}

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802  so http.server calls it
            self.send_response(200)
            self.end_headers()
            self.wfile.write("".join(f"{name} {value}\n" for name, value in told.items()).encode())

    with LocalServer(Handler).running() as server:
        monkeypatch.setattr(rabbitmq_alarms, "PORT", server.server_port)
        address("pyamqp://127.0.0.1//")
        yield told


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, Status.OK, "no alarm; 127.0.0.1 has 9.0 GB of disk free"),
        ({"rabbitmq_alarms_memory_used_watermark": 1}, Status.FAIL, "an alarm for memory"),
        ({"rabbitmq_alarms_free_disk_space_watermark": 1}, Status.FAIL, "an alarm for disk"),
        ({"rabbitmq_disk_space_available_bytes": 6e8}, Status.WARN, "0.6 GB of disk free, and needs 0.5"),
        ({"rabbitmq_unreachable_cluster_peers_count": 1}, Status.FAIL, "does not see 1 of its cluster"),
    ],
    ids=str,
)
def test_it_reads_alarms(figures: dict[str, float], changed: dict[str, float], status: Status, said: str) -> None:
    figures |= changed

    finding = rabbitmq_alarms.alarms()

    assert finding.status is status
    assert said in finding.found


def test_a_node_that_publishes_nothing_leaves_alarms_unknown(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_alarms, "PORT", 1)
    address()

    finding = rabbitmq_alarms.alarms()

    assert finding.status is Status.SKIPPED
    assert f"{HOST} cannot be asked" in finding.found

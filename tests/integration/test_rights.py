"""Each service may do what its work needs at the database and the broker, and nothing else."""

import pytest

from tests.stack import postgres, rabbitmq
from tests.stack.stack import CommandFailedError, Stack

# Opens a connection with the service's own user; {step} is what it tries. Prints the broker's answer.
_TRY = """
import sys
from celery import current_app
import amqp
import warren.config.celery
with current_app.connection_for_write() as connection:
    channel = connection.channel()
    try:
        {step}
    except amqp.AMQPError as exc:
        print(type(exc).__name__)
    else:
        print("allowed")
"""
_PUBLISH = "channel.confirm_select(); channel.basic_publish_confirm(amqp.Message('{{}}'), '', 'cpu')"
_DECLARE = "channel.queue_declare('probe', durable=True, auto_delete=False)"
_DELETE = "channel.queue_delete('cpu', if_unused=True)"
_PURGE = "channel.queue_purge('dead')"
_CONSUME = "channel.basic_get('cpu')"
_CONSUME_DEAD = "channel.basic_get('dead')"

TABLE_OF_SECRETS = "authtoken_token"


@pytest.mark.parametrize(
    ("role", "table"),
    [
        ("warren_worker", TABLE_OF_SECRETS),
        ("warren_worker", "django_session"),
        ("warren_beat", TABLE_OF_SECRETS),
        ("warren_beat", "accounts_user"),
        ("warren_beat", "django_session"),
        ("warren_relay", TABLE_OF_SECRETS),
        ("warren_relay", "accounts_user"),
        ("warren_relay", "django_celery_beat_periodictask"),
    ],
)
def test_a_role_cannot_read_what_it_does_not_need(stack: Stack, role: str, table: str) -> None:
    with pytest.raises(CommandFailedError, match=f"permission denied for table {table}"):
        postgres.ask(stack, 'SELECT 1 FROM :"table" LIMIT 1', role=role, table=table)


@pytest.mark.parametrize("role", ["warren_web", "warren_worker", "warren_beat", "warren_relay"])
def test_a_role_reads_jobs_but_makes_no_tables(stack: Stack, role: str) -> None:
    postgres.ask(stack, "SELECT 1 FROM warren_job LIMIT 1", role=role)

    with pytest.raises(CommandFailedError, match="permission denied for schema public"):
        postgres.ask(stack, "CREATE TABLE probe (id int)", role=role)


def test_no_role_is_more_than_a_login(stack: Stack) -> None:
    special = postgres.ask(
        stack,
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'warren\\_%' "
        "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)",
    )

    assert special == []


@pytest.mark.parametrize(
    "step", [_PUBLISH, _DECLARE, _DELETE, _PURGE, _CONSUME_DEAD], ids=["publish", "declare", "delete", "purge", "dead"]
)
def test_a_worker_may_only_take_jobs(stack: Stack, step: str) -> None:
    assert _answer(stack, "worker-cpu", step=step) == "AccessRefused"


def test_the_relay_may_not_take_jobs(stack: Stack) -> None:
    assert _answer(stack, "relay", step=_CONSUME) == "AccessRefused"


def test_web_may_not_publish_jobs(stack: Stack) -> None:
    assert _answer(stack, "web", step=_PUBLISH) == "AccessRefused"


def test_the_broker_has_one_user_per_role_and_no_guest(stack: Stack) -> None:
    users = {user["name"]: user["tags"] for user in rabbitmq.ask(stack, "users")}

    assert users == {
        "admin": ["administrator"],
        "web": [],
        "worker": [],
        "relay": [],
        "flower": ["monitoring"],
    }


def test_jobs_have_a_virtual_host_of_their_own(stack: Stack) -> None:
    assert {host["name"] for host in rabbitmq.ask(stack, "vhosts")} == {"warren"}


@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_a_queue_is_replicated_and_sets_poison_aside(stack: Stack, queue: str) -> None:
    found = rabbitmq.ask(stack, f"queues/warren/{queue}")

    assert found["durable"]
    assert found["arguments"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 5,
        "x-consumer-timeout": 86_400_000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def test_dead_letters_are_kept_in_a_replicated_queue(stack: Stack) -> None:
    found = rabbitmq.ask(stack, "queues/warren/dead")

    assert found["durable"]
    assert found["arguments"]["x-queue-type"] == "quorum"


def test_each_service_sees_only_its_own_secrets(stack: Stack) -> None:
    seen = {service: set(stack.execute(service, "ls", "/run/secrets").split()) for service in ("web", "beat", "flower")}

    assert seen == {
        "web": {
            "django_secret_key",
            "postgres_password",
            "broker_password",
            "otel_headers",
            "webhook_secret",
            "webhook_previous_secret",
        },
        "beat": {"django_secret_key", "postgres_password", "otel_headers"},
        "flower": {"broker_password", "flower_password"},
    }


def test_secrets_are_not_in_any_environment(stack: Stack) -> None:
    secret = {
        name: value
        for name, value in stack.values.items()
        if name.endswith(("PASSWORD", "KEY", "COOKIE", "OTLP_HEADERS")) and value
    }
    running = [each for each in stack.containers() if each.Service != "secrets"]

    shown = {each.Service: "\n".join(stack.inspect(each)["Config"]["Env"]) for each in running}

    assert {
        (name, service) for name, value in secret.items() for service, env in shown.items() if value in env
    } == set()


def _answer(stack: Stack, service: str, *, step: str) -> str:
    code = f"import django; django.setup()\n{_TRY.format(step=step)}"
    return stack.execute(service, "python", "-c", code).split()[-1]

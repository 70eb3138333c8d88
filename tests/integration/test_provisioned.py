"""What a pod runs before its own work, from each image and as each role: `manage.py provisioned` (k8s/base)."""

import pytest

from tests.stack.stack import CommandFailedError, Stack

CHECK = ("python", "manage.py", "provisioned")
ALL = ("web", "worker-cpu", "worker-io", "beat", "relay")
ASK_RABBITMQ = ("worker-cpu", "worker-io", "relay")
# each starts Django, and gives up on RabbitMQ within a few seconds
LONG_ENOUGH_S = "60"
A_FEW_LOOKS_S = "15"


@pytest.mark.parametrize("service", ALL)
def test_a_role_starts_when_all_is_provisioned(stack: Stack, service: str) -> None:
    stack.execute(service, "timeout", LONG_ENOUGH_S, *CHECK)


def test_who_needs_rabbitmq_waits_for_it_and_who_does_not_starts(stack: Stack) -> None:
    with stack.stopped("rabbitmq"):
        for service in set(ALL) - set(ASK_RABBITMQ):
            stack.execute(service, "timeout", LONG_ENOUGH_S, *CHECK)
        for service in ASK_RABBITMQ:
            with pytest.raises(CommandFailedError, match="waiting: RabbitMQ"):
                stack.execute(service, "timeout", A_FEW_LOOKS_S, *CHECK)


def test_a_role_waits_when_it_cannot_log_in_to_postgres(stack: Stack) -> None:
    with pytest.raises(CommandFailedError, match="waiting: Postgres"):
        stack.execute("beat", "timeout", A_FEW_LOOKS_S, *CHECK, env={"POSTGRES_USER": "nobody"})

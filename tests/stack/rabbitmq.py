"""Questions to RabbitMQ's management API, as administrator, from inside the network: it is not published."""

import json
from typing import Any

from tests.stack.stack import Stack

_ASK = """
import os, sys, httpx
answer = httpx.get("http://rabbitmq:15672/api/" + sys.argv[1], auth=("admin", os.environ["PASSWORD"]), timeout=20)
answer.raise_for_status()
print(answer.text)
"""


def ask(stack: Stack, path: str) -> Any:
    """What `GET /api/<path>` answers: https://www.rabbitmq.com/docs/http-api-reference."""
    password = stack.values["RABBITMQ_ADMIN_PASSWORD"]
    return json.loads(stack.execute("web", "python", "-c", _ASK, path, env={"PASSWORD": password}))


def messages(stack: Stack, queue: str) -> int:
    """How many messages the broker holds in a queue. A quorum queue counts its messages every five seconds only."""
    return _count(stack, queue, "messages")


def held(stack: Stack, queue: str) -> int:
    """How many messages of a queue its consumers have and did not acknowledge yet; as old as `messages`."""
    return _count(stack, queue, "messages_unacknowledged")


def consumers(stack: Stack, queue: str) -> int:
    """How many consumers the broker gives a queue's messages to; as old as `messages`."""
    return _count(stack, queue, "consumers")


def _count(stack: Stack, queue: str, what: str) -> int:
    said = stack.execute("rabbitmq", "rabbitmqctl", "list_queues", "--vhost", "warren", "--quiet", "name", what)
    counts = dict(line.split("\t") for line in said.splitlines() if "\t" in line)
    return int(counts[queue])


def wipe(stack: Stack) -> None:
    """Take the broker away, with its volume; `stack.up("rabbitmq")` brings a new one."""
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.remove_volume("rabbitmq")

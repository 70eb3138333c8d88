"""What the broker of a stack still holds, whichever it is."""

import json
import time

from tests.stack import postgres
from tests.stack.stack import Stack

COUNTED_EVERY_S = 5.5  # a quorum queue counts its messages every five: what is younger may not be in the figures

# what is no message: kombu's names of queues and its own lock, and the mark by which the relay knows a wipe
_REDIS_KEEPS = ("_kombu.", "unacked", "warren.")

_OPEN = """
SELECT id FROM warren_job
WHERE id = ANY(string_to_array(:'ids', ',')) AND state NOT IN ('succeeded', 'failed', 'cancelled', 'expired', 'dead')
"""


def let_count(stack: Stack) -> None:
    """Wait until `messages` knows of all that has happened before; Redis knows at once."""
    if not _is_redis(stack):
        time.sleep(COUNTED_EVERY_S)


def messages(stack: Stack) -> list[str]:
    """Each queue that is not empty, with its ready and unacknowledged messages; of Redis, each key with messages.

    Redis keeps what a killed worker had fetched until the visibility timeout, a day, and its job has long been sent
    again: such a copy counts only if its job is not final.
    """
    return _of_redis(stack) if _is_redis(stack) else _of_rabbitmq(stack)


def _is_redis(stack: Stack) -> bool:
    return bool(stack.containers(of="redis"))


def _of_rabbitmq(stack: Stack) -> list[str]:
    columns = ("name", "messages_ready", "messages_unacknowledged")
    said = stack.execute("rabbitmq", "rabbitmqctl", "list_queues", "--vhost", "warren", "--quiet", *columns)
    lines = [line.split("\t") for line in said.splitlines()[1:] if "\t" in line]
    return [" ".join(line) for line in lines if line[1:] != ["0", "0"]]


def _of_redis(stack: Stack) -> list[str]:
    lists = [key for key in _redis(stack, "--scan") if not key.startswith(_REDIS_KEEPS)]
    copies = [json.loads(line)[0]["headers"]["id"] for line in _redis(stack, "hvals", "unacked") if line]
    open_jobs = postgres.ask(stack, _OPEN, ids=",".join(copies)) if copies else []
    return [*lists, *(f"unacked: {job_id}" for (job_id,) in open_jobs)]


def _redis(stack: Stack, *command: str) -> list[str]:
    password = {"REDISCLI_AUTH": stack.values["REDIS_PASSWORD"]}
    return stack.execute("redis", "valkey-cli", *command, env=password).splitlines()

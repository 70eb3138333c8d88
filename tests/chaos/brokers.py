"""What the broker of a stack still holds, whichever it is."""

from tests.integration.stack import Stack

# what is no message: kombu's names of queues and its own lock, and the mark by which the relay knows a wipe
_REDIS_KEEPS = ("_kombu.", "unacked_mutex", "warren.")


def messages(stack: Stack) -> list[str]:
    """Each queue that is not empty, with its ready and unacknowledged messages; of Redis, each key with messages."""
    return _of_redis(stack) if stack.containers(of="redis") else _of_rabbitmq(stack)


def _of_rabbitmq(stack: Stack) -> list[str]:
    columns = ("name", "messages_ready", "messages_unacknowledged")
    said = stack.execute("rabbitmq", "rabbitmqctl", "list_queues", "--vhost", "warren", "--quiet", *columns)
    lines = [line.split("\t") for line in said.splitlines()[1:] if "\t" in line]
    return [" ".join(line) for line in lines if line[1:] != ["0", "0"]]


def _of_redis(stack: Stack) -> list[str]:
    password = {"REDISCLI_AUTH": stack.values["REDIS_PASSWORD"]}
    keys = stack.execute("redis", "valkey-cli", "--scan", env=password).splitlines()
    return [key for key in keys if not key.startswith(_REDIS_KEEPS)]

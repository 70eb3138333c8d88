"""RabbitMQ's definitions: what the broker makes by itself at each start, also from an empty volume.

The same users, rights and queues as `broker.py` makes through the management API, as files that RabbitMQ imports
(https://www.rabbitmq.com/docs/definitions). They are kept in services/rabbitmq/definitions, written by `make topology`,
and hold no passwords: services/rabbitmq/write-definitions puts a salted hash where HASH stands.
"""

import json
from typing import Any

from warren.config.provisioning import broker
from warren.config.queues import QUEUES
from warren.delivery import topology

HASH = "@hash@"
VHOST = "warren"  # of the stack's own broker, as compose/stack.yaml has it in BROKER_URL


def files() -> dict[str, str]:
    """Text by file name. RabbitMQ imports in alphabetical order: the virtual host comes before the rights in it."""
    made = {"0-topology.json": _topology()}
    made |= {f"user-{user.name}.json": _user(user) for user in (broker.administrator(), *broker.users())}
    return {name: json.dumps(content, indent=2) + "\n" for name, content in made.items()}


def _topology() -> dict[str, Any]:
    kept = {"vhost": VHOST, "durable": True, "auto_delete": False}
    queues = topology.declarations(QUEUES).items()
    losable = topology.LOSABLE_EXCHANGE
    to_queue = {"source": losable, "vhost": VHOST, "destination_type": "queue", "arguments": {}}
    return {
        "vhosts": [{"name": VHOST}],
        "queues": [{"name": name, **kept, "arguments": arguments} for name, arguments in queues],
        "exchanges": [{"name": losable, **kept, "type": "direct", "internal": False, "arguments": {}}],
        "bindings": [{**to_queue, "destination": spec.name, "routing_key": spec.name} for spec in QUEUES],
    }


def _user(user: broker.User) -> dict[str, Any]:
    login = {
        "name": user.name,
        "password_hash": HASH,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [user.tags] if user.tags else [],
    }
    return {"users": [login], "permissions": [{"user": user.name, "vhost": VHOST, **user.rights()}]}

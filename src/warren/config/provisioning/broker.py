"""RabbitMQ: the virtual host, one user per role with the least rights, and the declared queues.

Through the management API, as administrator. Rights are three regular expressions
(https://www.rabbitmq.com/docs/access-control): configure, write, read.

The stack's own RabbitMQ makes all of it by itself (`definitions.py`); here it is made in a broker that somebody else
runs, and looked at in ours: a queue that was declared anew with other arguments is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import httpx
from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from warren.config import tls
from warren.config.env import env
from warren.config.provisioning import management
from warren.config.queues import QUEUES
from warren.delivery import broker_addresses, topology

ADMIN = "admin"

# Celery's remote control: the exchanges and queues through which `inspect` and `revoke` talk to workers
CONTROL = r"celery\.pidbox$"
EVENTS = r"^celeryev"
NOTHING = "^$"


@dataclass(frozen=True, kw_only=True)
class User:
    """A RabbitMQ user and what it may configure, write and read."""

    name: str
    password_variable: str
    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    tags: str = ""

    def rights(self) -> dict[str, str]:
        """As the management API and the definitions spell them."""
        return {"configure": self.configure, "write": self.write, "read": self.read}


def administrator() -> User:
    """Who provisions. Made by the broker's own definitions, or by whoever runs the broker."""
    everything = ".*"
    return User(
        name=ADMIN,
        password_variable="RABBITMQ_ADMIN_PASSWORD",
        configure=everything,
        write=everything,
        read=everything,
        tags="administrator",
    )


def users() -> tuple[User, ...]:
    """Only the relay may publish jobs, but for what may be lost; only workers may take them.

    Nobody but the administrator makes queues.
    """
    queues = "|".join(spec.name for spec in QUEUES)
    losable = f"^{topology.LOSABLE_EXCHANGE}$"
    return (
        User(
            name="web",
            password_variable="RABBITMQ_WEB_PASSWORD",
            configure=CONTROL,
            write=f"{CONTROL}|{losable}",
            read=CONTROL,
        ),
        User(
            name="worker",
            password_variable="RABBITMQ_WORKER_PASSWORD",
            configure=f"{EVENTS}|{CONTROL}",
            write=f"{EVENTS}|{CONTROL}|{losable}",
            read=f"^({queues})$|{CONTROL}",
        ),
        User(
            name="relay",
            password_variable="RABBITMQ_RELAY_PASSWORD",
            configure=f"^{topology.MARK_PREFIX.replace('.', r'\.')}",
            write=r"^amq\.default$",
            read=f"^{topology.DEAD_LETTER_QUEUE}$",
        ),
        User(
            name="flower",
            password_variable="RABBITMQ_FLOWER_PASSWORD",
            configure=f"{EVENTS}|{CONTROL}",
            write=f"{EVENTS}|{CONTROL}",
            read=f"{EVENTS}|{CONTROL}",
            tags="monitoring",
        ),
    )


def provision() -> Iterator[str]:
    """Make what is missing. Raises `ImproperlyConfigured` where a queue exists with other arguments than declared."""
    if _on_redis():
        return  # it has one password, and makes lists as they are used
    vhost = quote(_nodes()[0].path.removeprefix("/"), safe="")
    passwords = {user.name: env.str(user.password_variable) for user in users()}
    with _api() as api:
        _put(api, f"vhosts/{vhost}", {})
        for user in users():
            _put(api, f"users/{user.name}", {"password": passwords[user.name], "tags": user.tags})
            _put(api, f"permissions/{vhost}/{user.name}", user.rights())
        for queue, arguments in topology.declarations(QUEUES).items():
            _put(api, f"queues/{vhost}/{queue}", {"durable": True, "arguments": arguments})
        exchange = topology.LOSABLE_EXCHANGE
        _put(api, f"exchanges/{vhost}/{exchange}", {"type": "direct", "durable": True})
        for spec in QUEUES:
            binding = {"routing_key": spec.name}
            api.post(f"bindings/{vhost}/e/{exchange}/q/{spec.name}", json=binding).raise_for_status()
    yield f"RabbitMQ: users {', '.join(passwords)}; queues {', '.join(topology.declarations(QUEUES))}"


def empty(app: Celery) -> Iterator[str]:
    """Throw away what the declared queues hold, fetched messages too, and make them anew; the relay's marks go with it.

    For everybody else this is a broker that was wiped: relays send again what their database says it was given.
    """
    if _on_redis():
        with app.connection_for_write() as connection:
            redis: Any = connection.default_channel.client  # type: ignore[attr-defined]  # Redis' own
            redis.flushdb()
        yield "Redis: emptied"
        return
    vhost = quote(_nodes()[0].path.removeprefix("/"), safe="")
    with _api() as api:
        queues = topology.declarations(QUEUES)
        marks = [each["name"] for each in api.get(f"exchanges/{vhost}").raise_for_status().json()]
        things = [f"queues/{vhost}/{name}" for name in queues]
        things += [f"exchanges/{vhost}/{name}" for name in marks if name.startswith(topology.MARK_PREFIX)]
        for thing in things:
            _delete(api, thing)
    yield f"RabbitMQ: threw away what was in {', '.join(queues)}"
    yield from provision()


def silence() -> str | None:
    """Why the management API cannot be used yet; None when it can."""
    if _on_redis():
        return None
    try:
        with _api() as api:
            api.get("whoami").raise_for_status()
    except (httpx.HTTPError, OSError) as exc:
        return f"RabbitMQ: {exc}"
    return None


def _api() -> httpx.Client:
    # somebody else's broker may call its administrator otherwise
    login = (env.str("RABBITMQ_ADMIN_USER", ADMIN), env.str(administrator().password_variable))
    options = settings.CELERY_BROKER_USE_SSL
    hosts = [str(node.hostname) for node in _nodes()]
    return management.connect(hosts, login=login, tls=tls.context(options) if options else None)


def _nodes() -> list[SplitResult]:
    return [urlsplit(address) for address in broker_addresses.split(settings.CELERY_BROKER_URL)]


def _on_redis() -> bool:
    return _nodes()[0].scheme in topology.REDIS_SCHEMES


def _delete(api: httpx.Client, path: str) -> None:
    answer = api.delete(path)
    if answer.status_code != httpx.codes.NOT_FOUND:
        answer.raise_for_status()


def _put(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = api.put(path, json=body)
    if answer.status_code == httpx.codes.BAD_REQUEST and path.startswith("queues/"):
        raise ImproperlyConfigured(
            f"RabbitMQ has {path} with other arguments than config/queues.py declares: {answer.json().get('reason')}. "
            "Declare a queue with a new name, or drain and delete the old one."
        )
    answer.raise_for_status()

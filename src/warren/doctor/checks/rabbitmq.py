"""RabbitMQ: does it answer, does it know us, and does it take what we send?"""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from amqp import Message
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound

from warren.delivery import topology
from warren.doctor import broker, commands
from warren.doctor.broker import Node
from warren.doctor.finding import Check, Finding, fail, ok, warn

REACHABLE = "rabbitmq.reachable"
OLDEST = 4  # quorum queues know priorities since then
CONFIRM_S = 2.0
RELAY = "relay"  # the one user that publishes jobs; all others what may be lost

LOOK = commands.look_at("rabbitmq")
START, RESTART = commands.start("rabbitmq"), commands.restart("rabbitmq")
NEW_SECRETS = "docker compose up --detach --force-recreate secrets rabbitmq && make up"
NEW_RIGHTS = "docker compose restart rabbitmq && docker compose up migrate"
ALARMS = "docker compose exec rabbitmq rabbitmq-diagnostics alarms; free disk or memory, and it goes on by itself"


def reachable() -> Finding:
    """Each node lets us in; one of several is enough."""
    nodes = broker.nodes()
    with ThreadPoolExecutor(len(nodes)) as pool:
        answers = list(pool.map(_greet, nodes))
    failures = [answer for answer in answers if isinstance(answer, Finding)]
    versions = {str(answer) for answer in answers if not isinstance(answer, Finding)}
    if not versions:
        return failures[0]
    told = f"RabbitMQ {', '.join(sorted(versions))}, {len(nodes) - len(failures)} of {len(nodes)} nodes"
    if failures:
        return warn(f"{told}; {failures[0].found}", do=failures[0].do)
    if int(min(versions).partition(".")[0]) < OLDEST:
        return warn(f"{told}: priorities need 4.0", do="Upgrade it.")
    node = nodes[0]
    return ok(f"{told}; virtual host {node.vhost!r}, user {node.login[0]!r}, {', '.join(each.name for each in nodes)}")


def rights() -> Finding:
    """We may publish where this user must: a message that no queue takes is confirmed, and gone."""
    user, exchange = broker.nodes()[0].login[0], topology.LOSABLE_EXCHANGE
    exchange = "" if user == RELAY else exchange
    try:
        with _first() as connection:
            channel = connection.channel()
            channel.confirm_select()
            channel.basic_publish_confirm(
                Message(b""), exchange=exchange, routing_key="doctor.of.no.queue", confirm_timeout=CONFIRM_S
            )
    except AccessRefused:
        return fail(f"user {user!r} may not publish to exchange {exchange!r}", do=NEW_RIGHTS)
    except NotFound:
        return fail(f"exchange {exchange!r} is missing", do=NEW_RIGHTS)
    except TimeoutError:
        return fail(f"it confirms no message within {CONFIRM_S} s", do=ALARMS)
    return ok(f"user {user!r} publishes to exchange {exchange!r}, and is confirmed")


def _greet(node: Node) -> str | Finding:
    try:
        with broker.connected(node) as connection:
            return str(connection.server_properties.get("version", "of an unknown version"))
    except (AMQPError, OSError) as exc:
        return _failure(node, exc)


def _failure(node: Node, exc: Exception) -> Finding:
    user = node.login[0]
    match exc:
        case AccessRefused():
            return fail(f"{node.name} refuses user {user!r}: unknown, or another password", do=NEW_SECRETS)
        case NotAllowed():
            return fail(f"{node.name}: virtual host {node.vhost!r} is missing, or not for user {user!r}", do=NEW_RIGHTS)
        case socket.gaierror():
            return fail(f"the name {node.host!r} is not known: no such container runs in this network", do=START)
        case ConnectionRefusedError():
            return fail(f"{node.name} refuses connections: RabbitMQ does not run there, or not yet", do=START)
        case TimeoutError():
            return fail(f"{node.name} does not answer within {broker.TIMEOUT_S:.0f} s: frozen, or cut off", do=RESTART)
    return fail(f"{node.name}: {str(exc) or type(exc).__name__}", do=LOOK)


def _first() -> Any:
    """A connection to the first node that answers; raises what the last one did."""
    *others, last = broker.nodes()
    chosen = next((node for node in others if not isinstance(_greet(node), Finding)), last)
    return broker.connected(chosen)


CHECKS = (
    Check(name=REACHABLE, examine=reachable, if_late=START),
    Check(name="rabbitmq.rights", examine=rights, needs=(REACHABLE,)),
)

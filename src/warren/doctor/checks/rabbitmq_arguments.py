"""RabbitMQ's queues, as its management API shows them: made as config/queues.py declares, and no policy against it?

AMQP shows a queue's arguments to nobody, so this needs a user that may use the API. The services' own may not, web's
least of all, which strangers talk to; `migrate` has the administrator's password, and compares at each start anyway.
"""

from typing import Any
from urllib.parse import quote

import httpx

from warren.config.provisioning import management
from warren.config.queues import QUEUES
from warren.delivery import topology
from warren.doctor import broker
from warren.doctor.checks.rabbitmq_queues import THERE
from warren.doctor.finding import Check, Finding, fail, ok, skipped

AS_ADMIN = "docker compose run --rm --no-deps migrate python manage.py doctor"
# What a policy may set and must not: each ends, drops or moves messages otherwise than is declared.
HARMFUL = {
    "message-ttl",
    "expires",
    "max-length",
    "max-length-bytes",
    "overflow",
    "delivery-limit",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "consumer-timeout",
}


def arguments() -> Finding:
    """Type, delivery limit, dead letters; policies laid over them; and the exchange for what may be lost."""
    nodes = broker.nodes()
    user = nodes[0].login[0]
    vhost = quote(nodes[0].vhost, safe="")
    failed = "BROKER_URL names no node"
    for node in nodes:
        api = httpx.Client(
            base_url=f"http://{node.host}:{management.PORT}/api/", auth=nodes[0].login, timeout=broker.TIMEOUT_S
        )
        try:
            with api:
                return _compare(api, vhost)
        except httpx.HTTPStatusError as exc:
            if exc.response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                return skipped(f"user {user!r} may not see them; every start compares them", do=AS_ADMIN)
            return fail(
                f"the management API answers {exc.response.status_code}: {exc.response.text[:200]}", do=AS_ADMIN
            )
        except httpx.TransportError as exc:
            failed = f"the management API of {node.host} does not answer: {str(exc) or type(exc).__name__}"
    return skipped(failed)


def _compare(api: httpx.Client, vhost: str) -> Finding:
    for name, declared in topology.declarations(QUEUES).items():
        found = _get(api, f"queues/{vhost}/{name}")
        wrong = {key for key in declared | found["arguments"] if declared.get(key) != found["arguments"].get(key)}
        if wrong:
            told = ", ".join(
                f"{key}={found['arguments'].get(key)!r}, declared {declared.get(key)!r}" for key in sorted(wrong)
            )
            return fail(f"queue {name!r} has {told}", do=_anew(name))
        policy = found.get("effective_policy_definition") or {}
        if harmful := HARMFUL & policy.keys():
            told = ", ".join(f"{key}={policy[key]!r}" for key in sorted(harmful))
            which = found.get("policy") or found.get("operator_policy")
            do = f"docker compose exec rabbitmq rabbitmqctl clear_policy --vhost warren {which}"
            return fail(f"policy {which!r} gives queue {name!r} {told}", do=do)
    exchange = topology.LOSABLE_EXCHANGE
    for spec in QUEUES:
        if not _get(api, f"bindings/{vhost}/e/{exchange}/q/{spec.name}"):
            return fail(f"exchange {exchange!r} does not lead to queue {spec.name!r}", do="docker compose up migrate")
    return ok(f"{', '.join(topology.declarations(QUEUES))} are as declared, and no policy changes them")


def _get(api: httpx.Client, path: str) -> Any:
    answer = api.get(path)
    answer.raise_for_status()
    return answer.json()


def _anew(queue: str) -> str:
    return (
        "Declare a queue with a new name (docs/how-to/add-a-queue.md); or, when it is empty:"
        f" docker compose exec rabbitmq rabbitmqctl delete_queue --vhost warren --if-empty {queue}"
        " && docker compose restart rabbitmq"
    )


CHECKS = (Check(name="rabbitmq.arguments", examine=arguments, needs=(THERE,)),)

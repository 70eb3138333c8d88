"""Tasks declared `durable=False`: published straight to the broker, stored nowhere, perhaps lost.

    web, workers               published at once, through an exchange that may reach the declared queues only
    inside a transaction       published after its commit; an error is then logged, since the commit cannot be undone
    broker away                `BrokerUnreachableError` to the caller, within seconds
    what must wait             countdown, eta, a retry with a delay: an ordinary job, through the outbox, because no
                               task waits inside a worker
    whose end is to be told    an ordinary job too (`on_final.py`)
    what the schedule fires    an ordinary job too: a tick fires once, and beat has no account at the broker
    part of a chord's header   refused: if it were lost, the chord would wait for ever

A header tells the worker which way a message came: one with it has no row, so there is nothing to claim or store.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from celery import Celery
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from warren.delivery import broker_addresses, on_final, pooled
from warren.delivery.errors import BrokerUnreachableError, LosableInChordError
from warren.delivery.topology import LOSABLE_EXCHANGE, is_redis, redis_priority
from warren.telemetry import carried

HEADER = "losable"
SCHEDULED = "celery_beat_task"  # the header that the scheduler sets

TRANSIENT = 1  # AMQP's delivery mode
WRITE_TIMEOUT_S = 2.0  # a broker under a memory alarm stops reading
RETRY_POLICY = {"interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}

log = logging.getLogger(__name__)


def is_direct(app: Celery, *, name: str, message: Any, headers: Mapping[str, Any]) -> bool:
    """Whether a task message skips the outbox; `headers` are the caller's own. Raises `LosableInChordError`."""
    if getattr(app.tasks.get(name), "durable", True) or message.headers["eta"]:
        return False
    if SCHEDULED in headers or on_final.HEADER in headers:
        return False
    embed = message.body[2]
    steps = [embed, *(step["options"] for step in embed["chain"] or ())]
    if any(step.get("chord") for step in steps):
        raise LosableInChordError(f"task {name} is declared durable=False, so it cannot be part of a chord's header")
    return True


def publish(
    app: Celery, *, send: Callable[..., None], producer: Any, name: str, message: Any, options: Mapping[str, Any]
) -> None:
    """Publish now, or when the current transaction has committed. Raises `BrokerUnreachableError`.

    `send` is Celery's own; `producer` is the caller's, `options` are those of the call.
    """
    queue = options.get("queue") or app.conf.task_default_queue
    routing_key = getattr(queue, "name", queue)
    direct = {
        **options,
        **_address(app, options.get("priority")),
        "headers": {
            **(options.get("headers") or {}),
            **carried.along(message.headers, queue=routing_key),
            HEADER: True,
        },
        "routing_key": routing_key,
        "declare": [],
        "delivery_mode": TRANSIENT,
        "retry": True,
        "retry_policy": retry_policy(app),
        "timeout": WRITE_TIMEOUT_S,
    }
    send_by = partial(_send, app, partial(send, name=name, message=message, **direct), name)
    if connection.in_atomic_block:
        # by another producer: the caller has given back this one by then
        transaction.on_commit(partial(_send_or_log, partial(send_by, None)), robust=True)
    else:
        send_by(producer)


def retry_policy(app: Celery) -> dict[str, float]:
    """Once more at each address: the connection that was at hand may have died long ago, and with it its node."""
    conf: Any = app.conf
    return {**RETRY_POLICY, "max_retries": len(broker_addresses.split(conf.broker_write_url))}


def _address(app: Celery, priority: int | None) -> dict[str, Any]:
    if is_redis(app):  # which has neither exchanges nor rights
        return {"exchange": "", "priority": redis_priority(priority)}
    return {"exchange": LOSABLE_EXCHANGE}


def _send(app: Celery, send: Callable[..., None], name: str, producer: Any) -> None:
    pooled.give_back()  # a broker that is away takes its time
    try:
        with app.producer_or_acquire(producer) as ours:
            send(ours)
    except (OperationalError, OSError) as exc:
        raise BrokerUnreachableError(f"task {name} is declared durable=False and was not sent: {exc}") from exc


def _send_or_log(send: Callable[[], None]) -> None:
    try:
        send()
    except BrokerUnreachableError as exc:
        log.error("lost, since its transaction is committed: %s", exc)  # noqa: TRY400  the message says it all

"""The one place where every publish passes.

Celery builds each task message, from `.delay()` to a chord's body, and hands it to `app.amqp.send_task_message` with a
producer. Warren keeps all of that, its signals included, and puts an outbox where the producer would be; but for tasks
declared `durable=False` (`losable.py`).

Celery counts `countdown` and `expires=<seconds>` from the clock of the machine that submits, which may be wrong; Warren
hands the seconds on, for Postgres to count.
"""

from collections.abc import Callable
from typing import Any, override

from celery.app.amqp import AMQP, task_message

from warren.delivery import losable, outbox


class TaskMessage(task_message):
    """Celery's message, and the seconds that `countdown` and `expires` were given as."""

    delay_s: float | None = None
    expires_in_s: float | None = None


class OutboxProducer:
    """Takes what a kombu producer takes, and writes it to the outbox instead of to a socket."""

    connection = None  # Celery looks it up before a retry of its own; the outbox never asks for one

    def __init__(self, message: TaskMessage) -> None:
        self._message = message

    def publish(
        self,
        body: tuple[Any, ...],
        *,
        exchange: str,
        routing_key: str,
        serializer: str,
        headers: dict[str, Any],
        **properties: Any,
    ) -> None:
        """Accept the message; see `outbox.add`."""
        kept: tuple[str, ...] = ("correlation_id", "reply_to", "priority")
        wanted = {name: properties[name] for name in kept if name in properties}
        outbox.add(
            body,
            exchange=exchange,
            routing_key=routing_key,
            # a retry takes over its headers from a message that may have come another way
            headers={header: value for header, value in headers.items() if header != losable.HEADER},
            properties=wanted,
            serializer=serializer,
            delay_s=self._message.delay_s,
            expires_in_s=self._message.expires_in_s,
        )


class OutboxAMQP(AMQP):
    """Celery's AMQP API with an outbox for a sender; given to the app as `Celery(amqp=...)`."""

    @override
    def as_task_v2(
        self,
        task_id: str,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        countdown: float | None = None,
        eta: Any = None,
        group_id: str | None = None,
        group_index: int | None = None,
        expires: Any = None,
        *rest: Any,
        **options: Any,
    ) -> TaskMessage:
        """Celery's protocol 2, which also remembers what was relative."""
        built = super().as_task_v2(
            task_id, name, args, kwargs, countdown, eta, group_id, group_index, expires, *rest, **options
        )
        message = TaskMessage(*built)
        message.delay_s = countdown or None
        message.expires_in_s = expires if isinstance(expires, int | float) else None
        return message

    def _create_task_sender(self) -> Callable[..., None]:
        send = super()._create_task_sender()  # type: ignore[misc]  # celery-types leaves it out

        def send_task_message(producer: Any, name: str, message: Any, **options: Any) -> None:
            if losable.is_direct(self.app, name=name, message=message, headers=options.get("headers") or {}):
                losable.publish(self.app, send=send, producer=producer, name=name, message=message, options=options)
            else:
                # retry=False: Celery's own retry is for broker errors, and there is no broker here
                send(OutboxProducer(message), name, message, **{**options, "retry": False})

        return send_task_message

"""The one place where every publish passes.

Celery builds each task message, from `.delay()` to a chord's body, and hands it to `app.amqp.send_task_message` with a
producer. Warren keeps all of that, its signals included, and puts an outbox where the producer would be; but for tasks
declared `durable=False` (`losable.py`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery.app.amqp import AMQP

from warren.delivery import losable, outbox


class OutboxProducer:
    """Takes what a kombu producer takes, and writes it to the outbox instead of to a socket."""

    connection = None  # Celery looks it up before a retry of its own; the outbox never asks for one

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
        )


class OutboxAMQP(AMQP):
    """Celery's AMQP API with an outbox for a sender; given to the app as `Celery(amqp=...)`."""

    def _create_task_sender(self) -> Callable[..., None]:
        send = super()._create_task_sender()  # type: ignore[misc]  # celery-types leaves it out
        accepted = OutboxProducer()

        def send_task_message(producer: Any, name: str, message: Any, **options: Any) -> None:
            if losable.is_direct(self.app, name=name, message=message, headers=options.get("headers") or {}):
                built = partial(send, name=name, message=message)
                losable.publish(self.app, send=built, producer=producer, name=name, options=options)
            else:
                # retry=False: Celery's own retry is for broker errors, and there is no broker here
                send(accepted, name, message, **{**options, "retry": False})

        return send_task_message

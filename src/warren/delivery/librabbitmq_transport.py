"""A kombu transport over librabbitmq, a client library in C, for the consuming connection of a prefork worker.

kombu's own transport for it is used, with what follows mended. Each was seen on Python 3.13 or read in the C source of
librabbitmq-fork 2.0.2.dev3; docs/how-to/librabbitmq.md has figures and what cannot be mended.

    on_cancel                   kombu 5.7 passes it to `basic_consume`, which does not know it
    bodies are memoryviews      into a buffer that the library uses again, and the pool cannot pickle them: copied
    a callback that raises      the library returns normally with an error set: kept, and raised after reading
    cancelling a consumer       frees a text that it made, without holding the interpreter's lock: crashed at shutdown.
                                Given bytes, it makes none
    cancel on a closed one      returns normally with an error set: not called
    collecting a live one       kombu closes the file descriptor, and the library later that number once more, by then
                                perhaps somebody else's: shut down, and closed by the library alone
    queue_purge, queue_delete   crash in the same way; a worker has no use for them: refused, as is basic_get

States of a connection: connected → closed, by us or by any error in reading; never back, Celery makes a new one.
Owner: the worker's main process, one thread (`librabbitmq_choice` sees to that). Children inherit and never use it.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import librabbitmq
from kombu.transport import librabbitmq as kombu_librabbitmq

from warren.delivery.silence import SOCKET_SETTINGS

upstream: Any = kombu_librabbitmq  # its stubs speak of py-amqp's classes
_REFUSAL = "purging, deleting and getting crash the process over librabbitmq; use a pyamqp:// connection"


class Message(upstream.Message):  # type: ignore[misc]  # see above
    """A message that owns its body."""

    def __init__(self, channel: Any, props: dict[str, Any], info: dict[str, Any], body: Any) -> None:
        super().__init__(channel, props, info, bytes(body))


class Channel(upstream.Channel):  # type: ignore[misc]  # see above
    """A channel as kombu 5.7 uses it."""

    Message = Message

    def basic_consume(self, *args: Any, callback: Callable[[Any], Any], **kwargs: Any) -> Any:
        """`on_cancel` is never called: when RabbitMQ cancels a consumer, the library ends the connection."""
        kwargs.pop("on_cancel", None)
        return super().basic_consume(*args, callback=self.connection.keep_error(callback), **kwargs)

    def basic_cancel(self, consumer_tag: str, **kwargs: Any) -> None:
        """Nothing to do on a closed connection: its consumers ended with it."""
        if self.connection is not None and self.connection.connected:
            super().basic_cancel(consumer_tag, **kwargs)

    def close(self) -> None:
        """Nothing to do on a closed connection: its channels ended with it."""
        if self.connection is not None and self.connection.connected:
            super().close()

    def queue_purge(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused."""
        raise NotImplementedError(_REFUSAL)

    queue_delete = basic_get = queue_purge


class Connection(upstream.Connection):  # type: ignore[misc]  # see above
    """A connection that passes on what callbacks raise, and notices a peer that is gone."""

    Channel = Channel
    Message = Message
    _raised: BaseException | None = None

    def connect(self) -> None:
        """Connect; the library knows no timeout for this."""
        super().connect()
        with self._socket() as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in SOCKET_SETTINGS.items():
                same.setsockopt(socket.IPPROTO_TCP, option, value)

    def drain_events(self, timeout: float | None = None) -> None:
        """Read and handle one message; raises what its callback raised."""
        super().drain_events(timeout)
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def keep_error(self, callback: Callable[[Any], Any]) -> Callable[[Any], None]:
        """The callback, its exception kept for `drain_events`: the library cannot pass one on."""

        def keeping(message: Any) -> None:
            try:
                callback(message)
            except BaseException as exc:  # noqa: BLE001  raised again by drain_events, a SystemExit too
                self._raised = exc

        return keeping

    def abandon(self) -> None:
        """Close without a word to RabbitMQ, which may not answer: the library would wait for it without end."""
        if self.connected:
            with suppress(OSError), self._socket() as same:
                same.shutdown(socket.SHUT_RDWR)
            with suppress(librabbitmq.ConnectionError):
                self._close()

    def _basic_cancel(self, channel_id: int, consumer_tag: str) -> None:
        super()._basic_cancel(channel_id, consumer_tag.encode())

    def _socket(self) -> socket.socket:
        return socket.fromfd(self.fileno(), socket.AF_INET, socket.SOCK_STREAM)


class Transport(upstream.Transport):  # type: ignore[misc]  # see above
    """kombu's transport, making connections of ours."""

    Connection = Connection

    client: Any

    def _collect(self, connection: Any) -> None:
        # the channels keep their closed connection: a late ack finds it closed, which Celery knows how to take
        if connection is not None:
            connection.abandon()
            connection.channels.clear()
            connection.callbacks.clear()
        self.client.drain_events = None
        self.client = None

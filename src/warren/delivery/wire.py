"""py-amqp over TCP with fewer system calls, for those who handle messages by the hundred.

py-amqp writes each frame and reads each part of a frame by a call of its own: nine to receive a message, one to ack it.
Here a read takes what has come, and frames can be held back, to go out together. In profiles of a worker at its limit
these calls were a quarter of its main process, and as much of the relay (docs/decisions/0007-batches-under-load.md).

    the process dies        what was held back is not sent: a message that is not acked comes back and its claim drops
                            it; one that is not published is still in the outbox
    the connection is lost  whoever sends what was held back is told, as by any write

A connection over TLS is py-amqp's own, and so slower by that. Owner: whoever owns the connection. Only one thread may
write while frames are held back; green pools, where many do, hold none back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ssl import CERT_REQUIRED
from typing import Any
from urllib.parse import urlsplit

from amqp import transport
from kombu.transport import TRANSPORT_ALIASES, pyamqp

upstream: Any = transport  # its stubs leave out what it is made of

# Some messages' worth; what is not used yet is copied at each read, so much more would cost what it saves.
READ_AHEAD_BYTES = 4096
# So much goes out at once: the broker can work on it while the rest is made.
MOST_HELD_BACK_BYTES = 32_768


class Wire(upstream.TCPTransport):  # type: ignore[misc]  # see above
    """A socket that reads ahead and can hold back what is written."""

    holds_back = False
    reads_ahead = False  # for who handles all that was read before waiting for more

    def __init__(self, *args: Any, **options: Any) -> None:
        self._held_back = bytearray()
        super().__init__(*args, **options)

    @property
    def has_read_ahead(self) -> bool:
        """Whether there is something that a poll of the socket would not tell of; perhaps a part of a frame."""
        return bool(self._read_buffer)

    def write(self, frames: Any) -> None:
        """Write, or hold back."""
        if not self.holds_back and not self._held_back:
            super().write(frames)
            return
        self._held_back += frames
        if not self.holds_back or len(self._held_back) > MOST_HELD_BACK_BYTES:
            self.send_held_back()

    def send_held_back(self) -> None:
        """Write what was held back, all of it however long that takes: half a frame is the end of a connection."""
        if self._held_back and self.sock is not None:
            frames, self._held_back = self._held_back, bytearray()
            with self._without_end():
                super().write(frames)

    def read_frame(self, *args: Any, **options: Any) -> Any:
        """Read a frame; if it is waited for, it may be the answer to what is held back."""
        if self.sock is not None and self.sock.gettimeout() != 0:
            self.send_held_back()
        return super().read_frame(*args, **options)

    @contextmanager
    def _without_end(self) -> Iterator[None]:
        used, patience_s = self.sock, self.sock.gettimeout()
        if patience_s is not None:
            used.settimeout(None)
        try:
            yield
        finally:
            if patience_s is not None:
                used.settimeout(patience_s)

    def _setup_transport(self) -> None:
        super()._setup_transport()
        receive = self.sock.recv
        self._quick_recv = lambda wanted: receive(max(wanted, READ_AHEAD_BYTES) if self.reads_ahead else wanted)


class Connection(pyamqp.Connection):
    """py-amqp's connection on such a socket."""

    def Transport(  # noqa: N802, PLR0917  py-amqp's
        self,
        host: str,
        connect_timeout: float | None,
        ssl: Any = False,  # noqa: FBT002
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: Any = None,
        **options: Any,
    ) -> Any:
        """The socket, unless it is one for TLS."""
        timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout, "write_timeout": write_timeout}
        if ssl:
            tls = _with_name(ssl, host)
            return super().Transport(host, ssl=tls, socket_settings=socket_settings, **timeouts, **options)
        return Wire(host, socket_settings=socket_settings, **timeouts, **options)


def _with_name(tls: Any, host: str) -> Any:
    """Options of TLS in which the node of this address must prove its name.

    kombu would note the first node's name for all, and so refuse the next that it goes on to; py-amqp asks for none.
    """
    if not isinstance(tls, dict) or tls.get("cert_reqs") != CERT_REQUIRED:
        return tls
    return {**tls, "server_hostname": urlsplit(f"//{host}").hostname}


class Transport(pyamqp.Transport):
    """kombu's transport, making connections of ours."""

    Connection = Connection


def of(connection: Any) -> Wire | None:
    """The wire of kombu's connection; None over any other transport."""
    found = getattr(connection.connection, "transport", None)
    return found if isinstance(found, Wire) else None


@contextmanager
def sent_together(connection: Any) -> Iterator[None]:
    """Send what is written in the block together, at its end or before anything is read. Raises as a write does."""
    wire = of(connection)
    if wire is None:
        yield
        return
    wire.holds_back = wire.reads_ahead = True
    try:
        yield
        wire.send_held_back()
    finally:
        wire.holds_back = False


def use() -> None:
    """Make it what `pyamqp://` means."""
    TRANSPORT_ALIASES["pyamqp"] = "warren.delivery.wire:Transport"

import socket
import threading
from collections.abc import Iterator
from struct import pack
from types import SimpleNamespace
from typing import Any

import pytest
from amqp.transport import SSLTransport
from celery import Celery

from warren.delivery import wire
from warren.delivery.wire import Wire

FRAME_END = b"\xce"
HEARTBEAT = 8


def _frame(payload: bytes) -> bytes:
    return pack(">BHI", HEARTBEAT, 0, len(payload)) + payload + FRAME_END


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def peer(ends: tuple[socket.socket, socket.socket]) -> socket.socket:
    return ends[1]


@pytest.fixture
def used(ends: tuple[socket.socket, socket.socket]) -> Any:
    made: Any = Wire("nowhere:5672")
    made.sock = ends[0]
    made._setup_transport()
    made.reads_ahead = True
    return made


@pytest.fixture
def connection(used: Any) -> Any:
    """In place of kombu's, as far as it is asked."""
    return SimpleNamespace(connection=SimpleNamespace(transport=used))


def _has_come(peer: socket.socket) -> bytes:
    peer.settimeout(0)
    try:
        return peer.recv(1_000_000)
    except BlockingIOError:
        return b""
    finally:
        peer.settimeout(5)


def test_it_sends_at_the_end_of_the_block_when_frames_are_sent_together(
    connection: Any, used: Any, peer: socket.socket
) -> None:
    with wire.sent_together(connection):
        for frame in (b"one", b"two"):
            buffer = bytearray(frame)
            used.write(memoryview(buffer))
            buffer[:] = b"xxx"  # as py-amqp, which uses its buffer again
        before = _has_come(peer)

    assert before == b""
    assert _has_come(peer) == b"onetwo"


def test_it_sends_at_once_when_nothing_is_to_be_sent_together(used: Any, peer: socket.socket) -> None:
    used.write(b"one")

    assert _has_come(peer) == b"one"


def test_it_sends_before_the_end_when_much_is_held_back(connection: Any, used: Any, peer: socket.socket) -> None:
    with wire.sent_together(connection):
        used.write(b"x" * (wire.MOST_HELD_BACK_BYTES + 1))

        assert len(_has_come(peer)) == wire.MOST_HELD_BACK_BYTES + 1


def test_it_keeps_the_order_when_a_block_ended_with_an_error(connection: Any, used: Any, peer: socket.socket) -> None:
    def fail() -> None:
        with wire.sent_together(connection):
            used.write(b"one")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    used.write(b"two")

    assert _has_come(peer) == b"onetwo"


def test_it_sends_the_question_when_an_answer_is_waited_for(connection: Any, used: Any, peer: socket.socket) -> None:
    with wire.sent_together(connection):
        used.write(b"question")
        peer.sendall(_frame(b"answer"))

        assert used.read_frame()[2] == b"answer"
        assert _has_come(peer) == b"question"


def test_it_sends_nothing_when_it_only_looks_whether_something_has_come(
    connection: Any, used: Any, peer: socket.socket
) -> None:
    with wire.sent_together(connection):
        used.write(b"one")
        with pytest.raises(TimeoutError), used.having_timeout(0):
            used.read_frame()

        assert _has_come(peer) == b""


def test_it_sends_all_when_the_peer_reads_slowly_and_the_wait_is_short(used: Any, peer: socket.socket) -> None:
    """A write that is given up in the middle of a frame would be the end of the connection."""
    much = b"x" * 4_000_000
    got = bytearray()

    def read() -> None:
        while len(got) < len(much):
            got.extend(peer.recv(100_000))

    reading = threading.Timer(0.2, read)
    reading.start()
    used.holds_back = True
    with used.having_timeout(0.01):
        used.write(much)
        still_short = used.sock.gettimeout() == 0.01
    reading.join(10)

    assert bytes(got) == much
    assert still_short


def test_it_reads_ahead_when_several_frames_have_come(used: Any, peer: socket.socket) -> None:
    peer.sendall(_frame(b"one") + _frame(b"two") + _frame(b"three")[:5])

    first = used.read_frame()[2]
    ahead = used.has_read_ahead
    second = used.read_frame()[2]
    with pytest.raises(TimeoutError), used.having_timeout(0):
        used.read_frame()
    peer.sendall(_frame(b"three")[5:])

    assert (first, ahead, second, used.read_frame()[2]) == (b"one", True, b"two", b"three")
    assert not used.has_read_ahead


def test_it_reads_only_what_is_asked_for_when_nobody_handles_the_rest(used: Any, peer: socket.socket) -> None:
    used.reads_ahead = False
    peer.sendall(_frame(b"one") + _frame(b"two"))

    used.read_frame()

    assert not used.has_read_ahead


def test_it_is_what_the_app_uses_when_it_connects(app: Celery) -> None:
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1)

        assert isinstance(wire.of(connection), Wire)


def test_it_leaves_tls_to_py_amqp_when_it_is_asked_for() -> None:
    made = wire.Connection("nowhere:5671", ssl=True).Transport("nowhere:5671", 1, {"cert_reqs": 0}, None, None)

    assert type(made) is SSLTransport


def test_it_does_nothing_when_the_broker_is_another() -> None:
    redis = SimpleNamespace(connection=SimpleNamespace())

    with wire.sent_together(redis):
        pass
    assert wire.of(redis) is None

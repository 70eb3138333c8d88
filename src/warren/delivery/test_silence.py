from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET

from celery import Celery

from warren.delivery.silence import SOCKET_SETTINGS


def test_every_connection_notices_a_broker_that_is_silent(app: Celery) -> None:
    with app.connection_for_read() as connection:
        sock = connection.connection.transport.sock

        assert sock.getsockopt(SOL_SOCKET, SO_KEEPALIVE)
        assert {option: sock.getsockopt(IPPROTO_TCP, option) for option in SOCKET_SETTINGS} == SOCKET_SETTINGS

"""How soon a broker that is gone without a word is noticed: its machine died, or a wire is cut.

Nobody sends AMQP heartbeats (docs/decisions/0003), so TCP finds out. RabbitMQ does the same on its side, for clients
that are gone (`services/rabbitmq/advanced.config`). By py-amqp's own options it would be a second while something is
on its way, which ends connections for a hiccup, and up to two and a half minutes for a consumer that only listens.

Options as in tcp(7): https://man7.org/linux/man-pages/man7/tcp.7.html
"""

import socket

SOCKET_SETTINGS = {
    socket.TCP_KEEPIDLE: 5,  # s of silence, then it is asked
    socket.TCP_KEEPINTVL: 2,  # s between questions
    socket.TCP_KEEPCNT: 3,  # questions without an answer
    socket.TCP_USER_TIMEOUT: 10_000,  # ms for which what was sent may stay unacknowledged
}

"""HTTP connections that go to checked addresses only and end by a deadline.

The check is in the one place that every connection passes, so a redirect, or a name that leads elsewhere when asked
again, is caught as well. Host header and certificate check still use the name: only the socket sees the address.
"""

import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from warren.outbound import addresses
from warren.outbound.addresses import LookUp, Network

STEP_TIMEOUT_S = 10.0  # for one connect or one read


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where connections may go; the default is the public internet. As `addresses.resolve` takes it.

    `tls` is who is trusted, by default the authorities that certifi lists.
    """

    allow_private: bool = False
    allowed: tuple[Network, ...] = ()
    look_up: LookUp | None = None
    tls: ssl.SSLContext | None = None


PUBLIC = Reach()


class CheckedTransport(httpx.HTTPTransport):
    """For one exchange: `deadline` is a time of `time.monotonic()`, and bounds all that goes over its connections."""

    def __init__(self, *, deadline: float, reach: Reach = PUBLIC) -> None:
        tls = reach.tls or _tls()
        super().__init__(verify=tls, trust_env=False)
        # httpx has no public way to hand its pool a network of one's own; httpcore, which it stands on, has
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, network_backend=_CheckedNetwork(deadline=deadline, reach=reach)
        )


class _CheckedNetwork(httpcore.NetworkBackend):
    def __init__(self, *, deadline: float, reach: Reach) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline
        self._reach = reach

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers."""
        failure: Exception = httpcore.ConnectError(f"{host!r} has no address")
        reach = self._reach
        for address in addresses.resolve(
            host, port=port, allow_private=reach.allow_private, allowed=reach.allowed, look_up=reach.look_up
        ):
            try:
                left = _left(self._deadline, timeout)
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every step ends by the deadline: a server that sends a byte now and then cannot hold us."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the certificates that we trust takes longer than a fetch."""
    return httpx.create_ssl_context(trust_env=False)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for this address is over")
    return min(left, timeout if timeout is not None else STEP_TIMEOUT_S)

"""What the tests of metrics share."""

from collections.abc import Callable

import httpx
import pytest

from warren.metrics.server import MetricsServer

type Get = Callable[[MetricsServer, str], httpx.Response]


@pytest.fixture
def get() -> Get:
    """Asks a server that runs for a path."""

    def ask(server: MetricsServer, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=10)

    return ask

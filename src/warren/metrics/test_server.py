import socket
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from warren.metrics.conftest import Get
from warren.metrics.errors import MetricsPortError
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer

# Asks itself, as Prometheus would, from the same green loop: {patch} makes the process what a worker's pool makes it.
_ASK_OURSELVES = """
{patch}
import http.client, threading
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer
server = MetricsServer(Exposition(), port={port})
server.start()
client = http.client.HTTPConnection("127.0.0.1", {port}, timeout=10)
for _ in range(3):
    client.request("GET", "/metrics")
    answer = client.getresponse()
    print(answer.status, "python_info" in answer.read().decode())
    client.close()
"""


class Answer(Collector):
    """One metric, or an error."""

    def __init__(self, value: float) -> None:
        self._value = value

    def collect(self) -> Iterator[Metric]:
        if self._value < 0:
            raise ArithmeticError("of a test")
        yield GaugeMetricFamily("warren_answer", "Of a test.", value=self._value)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(free_port: int) -> Iterator[MetricsServer]:
    made = MetricsServer(Exposition(collectors=[Answer(42)]), port=free_port)
    made.start()
    yield made
    made.stop()


def test_it_tells_prometheus_what_there_is_when_asked(server: MetricsServer, get: Get) -> None:
    answer = get(server, "/metrics")

    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert [sample.value for sample in families["warren_answer"].samples] == [42]
    assert "python_info" in families


@pytest.mark.parametrize("path", ["/", "/metrics/", "/livez", "/metrics.txt"])
def test_it_serves_nothing_else(server: MetricsServer, get: Get, path: str) -> None:
    assert get(server, path).status_code == HTTPStatus.NOT_FOUND


def test_it_answers_another_when_one_client_is_silent(server: MetricsServer, get: Get) -> None:
    assert server.port
    with socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/metrics").is_success


def test_it_says_which_variable_is_wrong_when_the_port_is_taken(server: MetricsServer) -> None:
    assert server.port

    with pytest.raises(MetricsPortError, match=rf"METRICS_PORT={server.port} is taken"):
        MetricsServer(Exposition(), port=server.port)


@pytest.mark.parametrize("port", [-1, 65_536, 99_999_999])
def test_it_says_which_ports_there_are_when_it_is_given_another(port: int) -> None:
    with pytest.raises(MetricsPortError, match=rf"METRICS_PORT={port}: a port is 1 to 65535; 0 serves no metrics"):
        MetricsServer(Exposition(), port=port)


def test_it_serves_nothing_when_the_port_is_0() -> None:
    server = MetricsServer(Exposition(), port=0)

    server.start()

    assert server.port is None


def test_it_frees_the_port_when_it_stops(free_port: int) -> None:
    MetricsServer(Exposition(), port=free_port).stop()

    MetricsServer(Exposition(), port=free_port).stop()


@pytest.mark.parametrize(
    "patch",
    [
        "",
        "import gevent.monkey; gevent.monkey.patch_all()",
        "import eventlet; eventlet.monkey_patch()",
    ],
    ids=["threads", "gevent", "eventlet"],
)
def test_it_serves_in_each_kind_of_process(patch: str, free_port: int) -> None:
    code = _ASK_OURSELVES.format(patch=patch, port=free_port)

    asked = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)  # noqa: S603  a command of our own

    assert asked.stdout.splitlines() == ["200 True"] * 3
    assert "Traceback" not in asked.stderr


def test_it_goes_on_when_a_look_fails(free_port: int, get: Get, capfd: pytest.CaptureFixture[str]) -> None:
    looks = Answer(-1)
    server = MetricsServer(Exposition(collectors=[looks]), port=free_port)
    server.start()
    with pytest.raises(Exception, match="disconnected"):
        get(server, "/metrics")

    looks._value = 1
    answer = get(server, "/metrics")
    server.stop()

    assert "warren_answer 1.0" in answer.text
    assert "ArithmeticError: of a test" in capfd.readouterr().err

"""How a worker connects to the broker."""

import socket
import subprocess
import sys

from celery.app import app_or_default

WITHIN_S = 30  # Python's start included

# gevent patches the whole process. A consumer without its steps, which would want a whole worker.
_GREEN = """
import sys
from gevent import monkey
monkey.patch_all()
import django
django.setup()
from types import SimpleNamespace
from celery import Celery
from warren.health.pulse import Consumer

class Bare(Consumer):
    class Blueprint(Consumer.Blueprint):
        default_steps = ()

app = Celery("green", broker=sys.argv[1], set_as_current=False)
controller = SimpleNamespace(pulse=SimpleNamespace(beat=lambda: None))
consumer = Bare(None, app=app, pool=SimpleNamespace(is_green=True), controller=controller)
with consumer.connection_for_read() as connection:
    assert connection.connected
"""


def test_it_goes_on_to_the_next_address_when_one_does_not_answer_under_gevent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes the connection, and nobody speaks
        addresses = f"pyamqp://127.0.0.1:{silent.getsockname()[1]}//;{app_or_default().conf.broker_url}"
        command = [sys.executable, "-c", _GREEN, addresses]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)  # noqa: S603  the code above

    assert done.returncode == 0, done.stderr

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery, concurrency
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from warren.config import celery
from warren.config.logs import NoDelayAdvice
from warren.delivery.batching.gevent import GeventPool
from warren.delivery.task import JobTask
from warren.scheduling.signals import ticked


def test_it_puts_the_login_into_the_broker_address_when_there_is_one() -> None:
    address = celery.with_login("pyamqp://rabbitmq:5672/warren", user="web", password="p/@:")  # noqa: S106  an example

    assert address == "pyamqp://web:p%2F%40%3A@rabbitmq:5672/warren"


def test_it_puts_the_login_into_each_address_when_there_are_several() -> None:
    address = celery.with_login("pyamqp://one:5672/v;pyamqp://old@two:5672/v", user="web", password="p;x")  # noqa: S106  an example

    assert address == "pyamqp://web:p%3Bx@one:5672/v;pyamqp://web:p%3Bx@two:5672/v"


@pytest.mark.parametrize("url", ["amqp://rabbitmq//", "pyamqp://one//;amqp://two//"])
def test_it_refuses_the_scheme_that_means_librabbitmq_when_the_address_says_amqp(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="write pyamqp://"):
        celery.with_login(url, user="", password="")


def test_it_logs_in_at_each_address_when_the_command_line_has_its_own_from_the_environment() -> None:
    """`celery worker` puts BROKER_URL, in which there is no login, over the app's setting."""
    addresses = "pyamqp://one/v;pyamqp://two/v"
    look = (
        "from warren.config.celery import app\n"
        "for connection in (app.connection_for_read(), app.connection_for_write()):\n"
        "    connection.maybe_switch_next()\n"
        "    print(connection.userid, connection.password, connection.hostname)\n"
    )
    environment = {
        **os.environ,
        "BROKER_URL": addresses,
        "CELERY_BROKER_URL": addresses,
        "BROKER_USER": "worker",
        "BROKER_PASSWORD": "secret",
    }

    told = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, env=environment)  # noqa: S603  a command of our own

    assert told.stdout.splitlines() == ["worker secret two"] * 2


def test_the_gevent_pool_of_the_command_line_is_ours() -> None:
    assert concurrency.get_implementation("gevent") is GeventPool


def test_it_makes_the_app_when_the_command_line_starts_it_before_django_has_models() -> None:
    command = [sys.executable, "-c", "from django.apps import apps; import warren.config.celery; assert not apps.ready"]

    started = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  a command of our own

    assert started.returncode == 0, started.stderr


def test_it_stops_the_start_when_a_task_names_an_unknown_queue() -> None:
    app = Celery("typo", set_as_current=False, task_cls=JobTask)

    @app.task(name="typo.add", queue="cpuu")
    def add() -> None: ...

    with pytest.raises(ImproperlyConfigured, match=r"typo\.add names queue 'cpuu'; .* declares cpu, io"):
        celery.load_tasks(app)


def test_it_shows_beat_alive_when_the_scheduler_ticks(settings: Settings, tmp_path: Path) -> None:
    settings.HEARTBEAT_DIR = tmp_path

    ticked.send(sender=None)

    assert (tmp_path / "beat.alive").exists()


def test_it_drops_celery_s_advice_on_delays_and_nothing_else_when_it_filters() -> None:
    def record(text: str) -> logging.LogRecord:
        return logging.LogRecord("celery.app.base", logging.WARNING, "", 0, text, None, None)

    assert not NoDelayAdvice().filter(record("Direct exchanges are not supported with native delayed delivery.\n"))
    assert NoDelayAdvice().filter(record("anything else"))

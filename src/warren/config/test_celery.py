import logging
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from warren.config import celery
from warren.config.logs import NoDelayAdvice
from warren.delivery.task import JobTask
from warren.scheduling.signals import ticked


def test_it_puts_the_login_into_the_broker_address_when_there_is_one() -> None:
    address = celery.with_login("pyamqp://rabbitmq:5672/warren", user="web", password="p/@:")  # noqa: S106  an example

    assert address == "pyamqp://web:p%2F%40%3A@rabbitmq:5672/warren"


def test_it_refuses_the_scheme_that_means_librabbitmq_when_the_address_says_amqp() -> None:
    with pytest.raises(ImproperlyConfigured, match="write pyamqp://"):
        celery.with_login("amqp://rabbitmq//", user="", password="")


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

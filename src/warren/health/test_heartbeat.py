import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from warren.health.heartbeat import Heartbeat

LONG_AGO = 1_000_000


def test_it_makes_the_files_that_the_health_checks_look_at(signs: Path) -> None:
    Heartbeat("worker").show_alive()
    Heartbeat("worker").show_ready()

    assert sorted(file.name for file in signs.iterdir()) == ["worker.alive", "worker.ready"]


def test_it_renews_a_sign(signs: Path) -> None:
    heartbeat = Heartbeat("beat")
    heartbeat.show_alive()
    os.utime(signs / "beat.alive", (LONG_AGO, LONG_AGO))

    heartbeat.show_alive()

    assert (signs / "beat.alive").stat().st_mtime > LONG_AGO


def test_it_withdraws_readiness_however_often(signs: Path) -> None:
    heartbeat = Heartbeat("worker")
    heartbeat.show_ready()

    heartbeat.withdraw_ready()
    heartbeat.withdraw_ready()

    assert not (signs / "worker.ready").exists()


def test_it_keeps_only_a_readiness_that_was_shown(signs: Path) -> None:
    Heartbeat("worker").keep_ready()

    assert not (signs / "worker.ready").exists()


def test_it_refuses_a_directory_that_is_missing(tmp_path: Path, settings: Settings) -> None:
    settings.HEARTBEAT_DIR = tmp_path / "nowhere"

    with pytest.raises(ImproperlyConfigured, match=r"HEARTBEAT_DIR=.*nowhere"):
        Heartbeat("worker")

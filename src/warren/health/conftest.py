"""What the tests of health share: a directory for signs of life."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def signs(tmp_path: Path, settings: Settings) -> Path:
    """The directory in which heartbeats are shown."""
    settings.HEARTBEAT_DIR = tmp_path
    return tmp_path

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from warren.config.garbage_step import THRESHOLD, GarbageStep


@pytest.fixture(autouse=True)
def _collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_it_freezes_what_is_there_and_looks_less_often() -> None:
    frozen = gc.get_freeze_count()

    GarbageStep(SimpleNamespace())

    assert gc.get_freeze_count() > frozen
    assert gc.get_threshold()[0] == THRESHOLD
    assert gc.isenabled()

"""What the tests of provisioning share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connections

from warren.delivery import direct


@pytest.fixture
def logged_in() -> Callable[[str, str], AbstractContextManager[None]]:
    """For the block, Django's connection is one of this user's; the pool has those of another."""
    return _logged_in


@contextmanager
def _logged_in(user: str, password: str) -> Iterator[None]:
    settings = connections["default"].settings_dict
    before = {name: settings[name] for name in ("USER", "PASSWORD")}
    settings |= {"USER": user, "PASSWORD": password}
    try:
        with direct.orm("test"):
            yield
    finally:
        settings |= before

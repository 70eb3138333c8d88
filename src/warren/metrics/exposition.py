"""What `/metrics` says of a process, or of all that count into one folder.

    one process       what it has counted in memory
    several           the files of all (`PROMETHEUS_MULTIPROC_DIR`), added up, with those of the gone (`departed.py`)
    both              what is looked up at the moment of asking: `collectors`, of the process that serves

While it looks, nobody forks: a child would inherit a lock of the client that nobody releases.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from warren.metrics import departed

_no_fork = threading.Lock()


class Exposition:
    """Asked by the server; thread-safe."""

    def __init__(self, *, collectors: Sequence[Collector] = (), before: Callable[[], None] | None = None) -> None:
        """`before` is called before each look: it may set gauges."""
        _make_forks_wait()
        self._before = before
        self._registry = CollectorRegistry()
        self._folder = shared_folder()
        self._registry.register(MultiProcessCollector(None, path=str(self._folder)) if self._folder else REGISTRY)
        for collector in collectors:
            self._registry.register(collector)

    def render(self, accepted: str) -> tuple[bytes, str]:
        """The text and its type, as the header `Accept` asks."""
        encode, content_type = choose_encoder(accepted)
        with _no_fork:
            if self._folder:
                departed.fold(self._folder)
            if self._before:
                self._before()
            return encode(self._registry), content_type

    def tidy(self) -> None:
        """Keep the folder small also while nobody asks."""
        if self._folder:
            with _no_fork:
                departed.fold(self._folder)


def shared_folder() -> Path | None:
    """Where several processes count, if they do."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # the client reads it when it is imported
    return Path(name) if name else None


@cache
def _make_forks_wait() -> None:
    os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)

"""Group commit: what many threads or greenlets ask for at the same moment is done at once, by one of them.

    idle      the next to ask does its own at once
    at work   who asks meanwhile joins the last group that waits, or begins another if that is full; when the work is
              done, the first of the next group does all of that

So nobody waits for others when there are none, and under load a statement carries as many jobs as came during the one
before. Nobody does more than the work of one group. Who asks must not hold what the work needs, such as a connection
of a pool: whoever does it may wait for that (`pooled.py`).

    the work fails         everyone of the group gets the error
    an asker is killed     its part is done, and nobody hears of it. If it was to do the work, the others of its group
                           get an `OperationalError`, which is worth a second try
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from django.db import OperationalError


class _Group[Item, Answer]:
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.answers: Sequence[Answer] = ()
        self.error: Exception | None = None
        self.turn = threading.Event()  # for its first member: nobody is at work any more
        self.done = threading.Event()


class Combiner[Item, Answer]:
    """Calls `work` with the items of all who ask together, but not more than `most`; it answers each, in that order."""

    def __init__(self, work: Callable[[list[Item]], Sequence[Answer]], *, most: int | None = None) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._at_work = False
        self._waiting: deque[_Group[Item, Answer]] = deque()

    def ask(self, item: Item) -> Answer:
        """Answer for this item. Raises what the work raised."""
        with self._lock:
            group = self._open_group()
            place = len(group.items)
            group.items.append(item)
            if not self._at_work:
                self._at_work = True
                self._begin()
        if place == 0:
            self._lead(group)
        else:
            group.done.wait()
        if group.error is not None:
            raise group.error
        return group.answers[place]

    def _open_group(self) -> _Group[Item, Answer]:
        if not self._waiting or len(self._waiting[-1].items) == self._most:
            self._waiting.append(_Group())
        return self._waiting[-1]

    def _begin(self) -> None:
        """Let the next group work: who asks from now on joins another. Call it with the lock."""
        self._waiting.popleft().turn.set()

    def _lead(self, group: _Group[Item, Answer]) -> None:
        try:
            group.turn.wait()
            group.answers = self._work(group.items)
        except Exception as exc:  # noqa: BLE001  it is told to all who asked, by `ask`
            group.error = exc
        except BaseException:
            group.error = OperationalError("whoever did the work for all was killed")
            raise
        finally:
            with self._lock:
                self._end(group)
            group.done.set()

    def _end(self, group: _Group[Item, Answer]) -> None:
        """Pass the turn on. A leader that was killed before its turn has none to pass. Call it with the lock."""
        if not group.turn.is_set():
            self._waiting.remove(group)
        elif self._waiting:
            self._begin()
        else:
            self._at_work = False

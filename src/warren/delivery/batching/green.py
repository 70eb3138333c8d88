"""Places for bodies in Celery's pools of greenlets: `--concurrency` bodies run at once, and what goes before and after
them takes no place.

    waiting    fetched, without a greenlet, in the order of arrival. Celery calls it reserved: no time limit runs yet
    in place   its greenlet claims the job and runs the body; a transactional body commits in its place
    leaving    the body is over (`places.leave`): the next begins, while this greenlet stores the outcome and acks

Celery's own pool holds the place until the ack, and fetches no more than it has places: then all bodies begin together,
end together, and nothing runs meanwhile.

    killed, failed, over its limit   the greenlet's end frees the place that it still has, however it ended
    connection lost                  what waits is forgotten: the broker delivers it again
    jobs are long                    what waits goes back to the broker, for a worker with a place free (`margin.py`)
    told to stop                     what waits goes back at once (`health/shutdown.py`)

Owner: the greenlets of one thread. None switches between looking at what is shared here and changing it.
"""

import logging
from collections.abc import Callable
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.exceptions import Reject

from warren.delivery import places
from warren.delivery.batching.ahead import Ahead
from warren.delivery.batching.margin import Margin
from warren.delivery.batching.order import Order
from warren.delivery.batching.trip import error_info

log = logging.getLogger(__name__)

# Greenlets that finish are not counted; the prefetch count bounds them. The most that gevent can count to.
COUNTLESS = 2**31 - 1


class PlacesPool(Ahead):
    """To be mixed into one of Celery's green pools, before it."""

    Pool: Callable[[int], Any]  # gevent's or eventlet's
    getpid: Callable[[], int]  # of the greenlet that asks
    limit: int
    _pool: Any

    def on_start(self) -> None:
        """Begin with all places free."""
        super().on_start()
        self._pool = self.Pool(COUNTLESS)
        self._quick_put = self._pool.spawn
        self._in_place: set[int] = set()
        places.current = self

    @property
    def places(self) -> int:
        """How many bodies may run."""
        return self.limit

    @property
    def busy(self) -> int:
        """How many places are taken."""
        return len(self._in_place)

    def leave(self) -> None:
        """See `places.Places`."""
        self._free(self.getpid())

    def flush(self) -> None:
        """Forget what waits; Celery calls it when the connection is lost."""
        self._waiting.clear()

    def make_window(self, *, narrow: int) -> Margin:
        """See `Ahead`."""
        return Margin(narrow=narrow, places=self.limit)

    def grow(self, n: int = 1) -> None:
        """Add places."""
        self.limit += n
        self._hand_out()

    def shrink(self, n: int = 1) -> None:
        """Take places away; whoever is in one stays until its body is over."""
        self.limit -= n

    def terminate_job(self, pid: int, signal: Any = None) -> None:
        """Kill a greenlet, but not that which asks: its job was revoked before its turn, and the claim refuses it."""
        if pid != self.getpid():
            super().terminate_job(pid, signal)

    def _hand_out(self) -> None:
        while self._waiting and len(self._in_place) < self.limit:
            self._begin(self._waiting.popleft())

    def _begin(self, order: Order) -> None:
        def done(outcome: Any) -> None:
            self._note_end(outcome)
            # Celery's `apply_target` gives an error here too, of what its tracer let pass, where only a tuple is read
            order.options["error_callback" if isinstance(outcome, ExceptionInfo) else "callback"](outcome)

        try:
            self.on_apply(order.target, order.args, **order.options | {"callback": done})
        except Exception as exc:
            log.exception("job %s could not begin", order.args[1])
            order.tell("error_callback", error_info(Reject(exc, requeue=True)))

    def _add_to_pool_map(self, pid: int, greenlet: Any) -> None:
        """Celery's, of a greenlet that was made and has not run."""
        super()._add_to_pool_map(pid, greenlet)  # type: ignore[misc]  # the class after this one has it
        self._in_place.add(pid)
        greenlet.link(lambda _greenlet: self._free(pid))

    def _free(self, pid: int) -> None:
        if pid in self._in_place:
            self._in_place.discard(pid)
            self._hand_out()

"""Remote control of workers with greenlets, through which `inspect`, Flower and a cancel reach them, that lasts.

Celery listens in a greenlet with a connection of its own. Any error ends the greenlet, and only the loss of the main
connection starts another. So it stayed deaf for good where only its queue failed: when a node of a RabbitMQ cluster
dies, the others still clear away its queues while we declare ours anew under the same name.

    the queue fails            the greenlet says so and listens again, on a new connection, until it is told to stop
    the main connection too    Celery stops this greenlet and starts another
    the other pools            listen on the main connection, so that an error there connects all anew: left as it is
"""

import logging
from typing import Any, override

from celery.worker.consumer.control import Control
from celery.worker.pidbox import gPidbox

from warren.health import about  # noqa: F401  what workers can be asked is known by its import

AGAIN_AFTER_S = 1.0

log = logging.getLogger(__name__)


class LastingPidbox(gPidbox):
    """Listens again after an error."""

    _node_shutdown: Any

    @override
    def loop(self, c: Any) -> None:
        """Until `on_stop`; `c` is the consumer."""
        while True:
            try:
                super().loop(c)
            except (*c.connection_errors, *c.channel_errors) as exc:
                log.warning("remote control was interrupted, and listens again: %s", exc)
            else:
                return
            told_to_stop = self._node_shutdown  # of the loop that failed; None if it was told and waited for
            if told_to_stop is None or told_to_stop.wait(AGAIN_AFTER_S):
                return


class RemoteControl(Control):
    """Celery's step, with that."""

    name = "Control"
    is_green: bool

    def __init__(self, c: Any, **kwargs: Any) -> None:
        super().__init__(c, **kwargs)
        if self.is_green:
            self.box = LastingPidbox(c)
            for method in ("start", "stop", "shutdown"):  # as Celery's own does it
                setattr(self, method, getattr(self.box, method))

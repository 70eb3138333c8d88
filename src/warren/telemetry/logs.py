"""Sets logging up as `settings.LOGGING` says. Django's LOGGING_CONFIG."""

import io
import logging
import logging.config
import sys
import threading
from typing import Any, override

log = logging.getLogger(__name__)


def configure(config: dict[str, Any]) -> None:
    """Python's own dictConfig; besides, warnings and what nobody has caught become lines like all others.

    But for a person at a terminal, who reads a traceback as Python prints it.
    """
    logging.config.dictConfig(config)
    logging.captureWarnings(capture=True)
    if not sys.stderr.isatty():
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_of_thread


class LogStream(io.TextIOBase):
    """For commands of Django that write for a terminal: each line that they write becomes one of the log."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log
        self._begun = ""

    @override
    def write(self, text: str, /) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(None, map(str.strip, lines)):
            self._log.info("%s", line)
        return len(text)


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    log.critical("ended by %s: %s", kind.__name__, error, exc_info=(kind, error, traceback))


def _log_of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    name = args.thread.name if args.thread else "unknown"
    about = (args.exc_type, args.exc_value, args.exc_traceback)
    log.critical("thread %s ended by %s: %s", name, args.exc_type.__name__, args.exc_value, exc_info=about)

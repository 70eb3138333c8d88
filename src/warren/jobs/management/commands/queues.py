"""Shows how each queue stands, for whoever is on call: `manage.py queues [--watch] [--json]`.

Ends with 0 when all could be asked, 1 when Postgres or the broker could not, 2 when the command line makes no sense,
and by a signal with 128 and its number. `--json` prints a document (`jobs/queue_report.py`); with `--watch` one a line,
every two seconds.
"""

import json
import sys
import time
from typing import Any

from celery import current_app
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from rest_framework.utils.encoders import JSONEncoder

from warren.jobs import interrupted, queue_report
from warren.jobs.terminal import console_on

EVERY_S = 2.0
NOT_ASKED = 1  # exit code


class Command(BaseCommand):
    """All queues that are declared or have jobs."""

    help = "Show what waits, runs and fails in each queue, and who works on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="again and again, until interrupted")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Once, or for ever."""
        with interrupted.quietly():
            while True:
                error = self._show_once(options)
                if not options["watch"]:
                    if error:
                        sys.exit(NOT_ASKED)
                    return
                time.sleep(EVERY_S)
                interrupted.raise_if_closed(self.stdout)

    def _show_once(self, options: dict[str, Any]) -> str | None:
        """Why the broker, or while one watches Postgres, could not be asked."""
        try:
            report = queue_report.gather(current_app)
        except (OperationalError, InterfaceError) as exc:
            connection.close()
            if not options["watch"]:
                raise CommandError(f"Postgres cannot be asked: {exc}", returncode=NOT_ASKED) from exc
            self.stderr.write(f"Postgres cannot be asked: {exc}")
            return str(exc)
        if options["json"]:
            text = json.dumps(report, cls=JSONEncoder, indent=None if options["watch"] else 2)
            self.stdout.write(f"{text}\n")
            self.stdout.flush()
        else:
            out = console_on(self.stdout, options=options)
            if options["watch"]:
                self._begin_page(out, at=report["at"])
            queue_report.show(out, report)
        error: str | None = report["broker"]["error"]
        return error

    def _begin_page(self, out: Any, *, at: Any) -> None:
        if out.is_terminal:
            out.clear()
        out.print(f"{at:%H:%M:%S} UTC, every {EVERY_S:.0f} s; Ctrl-C ends it")

"""Looks whether all is well, and says what to do where it is not: `manage.py doctor [--json]`.

Ends with 0 when nothing fails, 1 when something does, 2 when the command line makes no sense; within half a minute,
whatever is frozen. `--json` prints a document (`doctor/report.py`).
"""

import json
import sys
import time
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils import timezone

from warren.doctor import broker, catalogue, report
from warren.doctor.examination import Examination
from warren.jobs import interrupted
from warren.jobs.terminal import console_on

UNWELL = 1  # exit code


class Command(BaseCommand):
    """From this container, with its service's rights."""

    help = "Check settings, Postgres, the broker, the workers and the schedule; say what to do."
    requires_system_checks = ()  # one that fails must not keep the doctor away

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask, tell, and leave: a thread that hangs is not waited for."""
        broker.log_in()
        started = time.monotonic()
        with interrupted.quietly():
            findings = Examination(catalogue.checks()).run()
            took_s = time.monotonic() - started
            if options["json"]:
                told = report.document(findings, at=timezone.now().isoformat(), took_s=took_s)
                self.stdout.write(f"{json.dumps(told, indent=2)}\n")
            else:
                report.show(console_on(self.stdout, options=options), findings, took_s=took_s)
            self.stdout.flush()
        if not report.is_well(findings):
            sys.exit(UNWELL)

"""Looks at jobs and steps in, for whoever is on call: `manage.py jobs list|show|tail|retry|cancel`.

Ends with 0 when all was done, 1 when something was refused or Postgres is away, 2 when the command line makes no sense,
and by a signal with 128 and its number. `--json` prints one document; that of a job is the API's (`/api/docs/`):

    list, --dry-run   [job, …] as in a list of the API
    show              job as the API shows one
    retry, cancel     {"retried" or "cancelled": number, "ids": […], "refused": [{"id", "reason"}, …]}
    tail              a document on a line for each change (`jobs/tail.py`)
"""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import batched
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from rest_framework.utils.encoders import JSONEncoder

from warren.delivery import retry
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.delivery.states import OPEN, State
from warren.jobs import bulk, cancel, command_line, console, filters, interrupted, tail
from warren.jobs.changed_rows import Which
from warren.jobs.following import Follower
from warren.jobs.serializers import JobSerializer, JobSummarySerializer
from warren.jobs.terminal import console_on, safe

REFUSED, MISUSED = 1, 2  # exit codes
BOTH = "Name jobs by ids or choose them by a filter, not by both."
NEITHER = "Name jobs by their ids, or choose them by --state, --task, --queue, --since, --until or --search."
NO_REQUEST = {"request": None}  # links are paths then, and nobody is hidden

type StepIn = Callable[[list[str], Actor, str], tuple[list[str], dict[str, str]]]


class Command(BaseCommand):
    """All jobs, whoever owns them."""

    help = "List, show, follow, retry and cancel jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Five commands in one."""
        command_line.add_to(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the one that was asked for."""
        with interrupted.quietly():
            try:
                self._run(options)
            except (OperationalError, InterfaceError) as exc:
                raise CommandError(f"Postgres cannot be asked: {exc}", returncode=REFUSED) from exc

    def _run(self, options: dict[str, Any]) -> None:
        match options["command"]:
            case "list":
                jobs = filters.narrowed(Job.objects.all(), wanted=command_line.wanted(options))
                self._show_list(jobs[: options["limit"]], options)
            case "show":
                self._show(options)
            case "tail":
                self._tail(options)
            case "retry":
                self._step_in(options, done="retried", states=(State.FAILED, State.DEAD), by_ids=_retry)
            case "cancel":
                self._step_in(options, done="cancelled", states=OPEN, by_ids=_cancel)

    def _show_list(self, jobs: QuerySet[Job], options: dict[str, Any]) -> None:
        listed = JobSummarySerializer(jobs, many=True, context=NO_REQUEST).data
        if options["json"]:
            self._print(listed)
        else:
            console.show_list(console_on(self.stdout, options=options), listed)

    def _show(self, options: dict[str, Any]) -> None:
        (job_id,) = options["ids"]
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            raise CommandError(f"There is no job {job_id!r}.", returncode=REFUSED)
        told = JobSerializer(job, context=NO_REQUEST).data
        if options["json"]:
            self._print(told)
        else:
            console.show_details(console_on(self.stdout, options=options), told)

    def _tail(self, options: dict[str, Any]) -> None:
        ids = tuple(options["ids"])
        if missing := set(ids) - set(Job.objects.filter(pk__in=ids).values_list("pk", flat=True)):
            raise CommandError(f"There is no job {min(missing)!r}.", returncode=REFUSED)
        owner = _user_id(options["mine"]) if options["mine"] else None
        which = Which(ids=ids, task=options["task"], queue=options["queue"], owner=owner)
        follower = Follower(which)
        tell = (
            partial(tail.print_json, self.stdout)
            if options["json"]
            else partial(tail.show, console_on(self.stdout, options=options))
        )
        look_up = partial(interrupted.raise_if_closed, self.stdout)
        with closing(follower):
            tail.follow(
                follower, until_ended=ids, state=options["state"], tell=tell, warn=self.stderr.write, look_up=look_up
            )

    def _step_in(self, options: dict[str, Any], *, done: str, states: tuple[State, ...], by_ids: StepIn) -> None:
        ids = self._chosen(options, states)
        if options["dry_run"]:
            self._show_list(Job.objects.filter(pk__in=ids), options)
            return
        if not options["ids"] and ids and not options["yes"]:
            _confirm(f"{len(ids)} {'job' if len(ids) == 1 else 'jobs'} will be {done}")
        by = command_line.operator(options)
        changed: list[str] = []
        refused: dict[str, str] = {}
        for some in batched(ids, bulk.MOST, strict=False):
            some_changed, some_refused = by_ids(list(some), by, options["reason"])
            changed += some_changed
            refused |= some_refused
        if options["json"]:
            self._print({done: len(changed), "ids": changed, "refused": bulk.refused(refused)})
        else:
            self.stdout.writelines(f"{safe(f'{job_id}: {why}')}\n" for job_id, why in refused.items())
            self.stdout.write(f"{len(changed)} {done}, {len(refused)} not\n")
        if refused:
            sys.exit(REFUSED)

    def _chosen(self, options: dict[str, Any], states: tuple[State, ...]) -> list[str]:
        wanted, ids = command_line.wanted(options), list(options["ids"])
        if bool(wanted) == bool(ids):
            raise CommandError(BOTH if ids else NEITHER, returncode=MISUSED)
        if ids:
            return ids
        found = filters.narrowed(Job.objects.all(), wanted=wanted, states=states)
        return list(found.order_by("created_at", "pk").values_list("pk", flat=True))

    def _print(self, told: Any) -> None:
        self.stdout.write(f"{json.dumps(told, cls=JSONEncoder, indent=2)}\n")


def _user_id(email: str) -> int:
    user = get_user_model().objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"There is no user {email!r}.", returncode=MISUSED)
    return int(user.pk)


def _retry(ids: list[str], by: Actor, reason: str) -> tuple[list[str], dict[str, str]]:
    outcome = retry.retry(ids, by=by, reason=reason)
    return outcome.retried, outcome.refused


def _cancel(ids: list[str], by: Actor, reason: str) -> tuple[list[str], dict[str, str]]:
    outcome = cancel.cancel_all(ids, by=by, reason=reason)
    return list(outcome.cancelled), outcome.refused


def _confirm(what: str) -> None:
    """Raises `CommandError` unless a person at a terminal says yes."""
    if not sys.stdin.isatty():
        raise CommandError(f"{what}. Add --yes to do it, or --dry-run to list them.", returncode=MISUSED)
    if input(f"{what}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was changed.", returncode=REFUSED)

"""What `manage.py jobs` understands."""

import getpass
import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils import timezone

from warren.delivery import retry
from warren.delivery.history import Actor
from warren.delivery.states import OPEN, State
from warren.jobs import moments

NEWEST = 50
LONGEST_NAME = 100

_FILTERS = ("state", "task", "queue", "created_after", "created_before", "search")


def add_to(parser: ArgumentParser) -> None:
    """The commands list, show, tail, retry and cancel, each with its options."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show|retry|cancel|tail")
    listing = commands.add_parser("list", help="the newest jobs")
    _add_filters(listing, states=State)
    listing.add_argument("--limit", type=_count, default=NEWEST, help=f"how many at most ({NEWEST})")
    showing = commands.add_parser("show", help="all that is known of a job, its history included")
    showing.add_argument("ids", nargs=1, metavar="ID")
    tailing = commands.add_parser(
        "tail", help="each state that jobs come to, as it happens; ends when those named have"
    )
    _add_following(tailing)
    retrying = commands.add_parser("retry", help="run jobs again; without --state the failed and dead ones")
    _add_intervention(retrying, states=retry.RETRYABLE)
    cancelling = commands.add_parser("cancel", help="end jobs; without --state all that have not ended")
    _add_intervention(cancelling, states=OPEN)
    for each in commands.choices.values():
        each.add_argument("--json", action="store_true", help="for machines")


def wanted(options: dict[str, Any]) -> dict[str, Any]:
    """The filter that was given, as `filters.narrowed` takes it."""
    return {name: options[name] for name in _FILTERS if options[name] is not None}


def _add_following(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID")
    group = parser.add_argument_group("which changes")
    group.add_argument("--state", choices=[state.value for state in State])
    group.add_argument("--task", help="the whole name")
    group.add_argument("--queue")
    group.add_argument("--mine", metavar="EMAIL", help="of the jobs that this user has submitted")


def _add_intervention(parser: ArgumentParser, *, states: Collection[State]) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID")
    _add_filters(parser, states=states)
    parser.add_argument("--reason", default="", help="why, for the jobs' history")
    parser.add_argument("--by", type=_name, metavar="NAME", help="who, for the same; without it whom the system names")
    parser.add_argument("--dry-run", action="store_true", help="only list the jobs")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_filters(parser: ArgumentParser, *, states: Collection[State]) -> None:
    group = parser.add_argument_group("which jobs")
    group.add_argument("--state", choices=[state.value for state in states])
    group.add_argument("--task", help="the whole name")
    group.add_argument("--queue")
    group.add_argument("--since", dest="created_after", type=_moment, help="accepted after: 2h ago, or a moment")
    group.add_argument("--until", dest="created_before", type=_moment, help="accepted before: 2h ago, or a moment")
    group.add_argument("--search", help="part of the id, the task's name or the arguments")


def operator(options: dict[str, Any]) -> Actor:
    """Who steps in. In a container the system knows its own user alone, so people say who they are."""
    return Actor(label=f"command line ({options['by'] or _system_user()})")


def _system_user() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a number without a name, as some platforms run containers
        return f"uid {os.getuid()}"


def _name(text: str) -> str:
    name = text.strip()
    if not (name.isprintable() and 1 <= len(name) <= LONGEST_NAME):
        raise ArgumentTypeError(f"{text[:LONGEST_NAME]!r} is not a name of 1 to {LONGEST_NAME} characters")
    return name


def _moment(text: str) -> datetime:
    try:
        return moments.parse(text, now=timezone.now())
    except ValueError as exc:
        raise ArgumentTypeError(str(exc)) from exc


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is not a number of jobs, such as 50")
    return int(text)

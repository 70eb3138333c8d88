"""What other apps show on a job's page. An app adds its own in its `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from warren.delivery.models import Job

type Context = Callable[[Job], dict[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    """A template that is shown with a context."""

    template: str
    context: dict[str, Any]


_sources: dict[str, Context] = {}


def add(template: str, *, context: Context) -> None:
    """Show this template, a `<section>`, on the page of each job for which `context` gives something.

    It is asked every other second while the page is open. So it asks Postgres nothing for a job that it does not
    concern, and else as often however much there is to show.
    """
    _sources[template] = context


def of(job: Job) -> list[Panel]:
    """The panels of this job."""
    found = ((template, context(job)) for template, context in _sources.items())
    return [Panel(template, context) for template, context in found if context is not None]

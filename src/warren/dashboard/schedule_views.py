"""The schedule: what runs when, and switching and running entries by hand."""

from celery.exceptions import QueueNotFound
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_celery_beat.models import PeriodicTask

from warren.dashboard.access import is_live, staff
from warren.delivery.errors import DeliveryError
from warren.scheduling import steering, upcoming
from warren.scheduling.errors import SchedulingError
from warren.scheduling.models import CodeEntry, ScheduleEvent

SHOWN_EVENTS = 20


@require_safe
@staff
def schedule_list(request: HttpRequest) -> HttpResponse:
    """All entries, when they run next and ran last; asked for by htmx, the live part alone."""
    context = {
        "entries": upcoming.of_all(),
        "from_code": set(CodeEntry.objects.values_list("pk", flat=True)),
        "events": ScheduleEvent.objects.select_related("actor")[:SHOWN_EVENTS],
    }
    return render(request, f"dashboard/schedules.html{'#entries' if is_live(request) else ''}", context)


@require_POST
@staff
def steer(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Enable, disable or run an entry, for the user who asks."""
    by = int(request.user.pk or 0)
    try:
        match verb:
            case "enable" | "disable":
                return _switch(request, pk, enabled=verb == "enable", by=by)
            case "run":
                return _run(request, pk, by=by)
    except PeriodicTask.DoesNotExist:
        raise Http404("There is no such entry.") from None
    raise Http404


def _switch(request: HttpRequest, pk: int, *, enabled: bool, by: int) -> HttpResponse:
    if steering.switch(pk, enabled=enabled, by=by):
        messages.success(request, f"Switched {'on' if enabled else 'off'}; beat goes by it within ten seconds.")
    else:
        messages.info(request, f"It is switched {'on' if enabled else 'off'} already.")
    return redirect("schedule-list")


def _run(request: HttpRequest, pk: int, *, by: int) -> HttpResponse:
    try:
        job_id = steering.run_now(pk, by=by)
    except (SchedulingError, DeliveryError, QueueNotFound) as exc:
        messages.error(request, f"It was not run: {exc}")
        return redirect("schedule-list")
    messages.success(request, "Accepted; this is its job. The entry's own times stay as they are.")
    return redirect("job-page", job_id)

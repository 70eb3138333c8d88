"""What was given up, and what the broker would not take."""

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from warren.dashboard import wording
from warren.dashboard.access import is_live, member
from warren.delivery.models import JobEvent, OutboxMessage
from warren.delivery.states import State
from warren.jobs import filters, visible

SHOWN = 50


@require_safe
@member
def dead_letters(request: HttpRequest) -> HttpResponse:
    """Dead jobs with the reason, and messages that were refused with theirs; for htmx, the live part alone."""
    jobs = visible.jobs_for(request.user)
    dead = filters.narrowed(jobs, wanted={"state": State.DEAD})
    why = JobEvent.objects.filter(job=OuterRef("pk"), kind=JobEvent.Kind.DEAD).order_by("-id").values("reason")[:1]
    refused = OutboxMessage.objects.filter(failures__gt=0)
    if not request.user.is_staff:
        refused = refused.filter(job__owner_id=request.user.pk)
    context = {
        "dead": dead.only("id", "task", "queue", "losses", "finished_at", "attempt")
        .annotate(why=Subquery(why))
        .order_by("-created_at", "-id")[:SHOWN],
        "dead_count": dead.order_by()[: wording.MOST + 1].count(),
        "refused": refused.select_related("job")
        .only("failures", "last_error", "available_at", "job__id", "job__task", "job__queue", "job__state")
        .order_by("id")[:SHOWN],
        "refused_count": refused.order_by()[: wording.MOST + 1].count(),
    }
    return render(request, f"dashboard/dead_letters.html{'#letters' if is_live(request) else ''}", context)

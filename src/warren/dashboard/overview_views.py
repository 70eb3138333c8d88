"""The first page: for the staff how everything stands, for everybody else how their own jobs do."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from warren.dashboard import own_figures, processes, queue_cards, sparkline, throughput
from warren.dashboard.access import is_live, member
from warren.dashboard.broker_watch import watch
from warren.dashboard.job_pages import LOOKED_AT
from warren.scheduling import upcoming


@require_safe
@member
def overview(request: HttpRequest) -> HttpResponse:
    """How it stands; asked for by htmx, the live part alone."""
    context = _everything() if request.user.is_staff else _own(int(request.user.pk or 0))
    return render(request, f"dashboard/overview.html{'#live' if is_live(request) else ''}", context)


def _everything() -> dict[str, Any]:
    now = upcoming.database_now()
    finished = throughput.finished(now=now)
    queues = queue_cards.of([queue.name for queue in settings.CELERY_TASK_QUEUES], finished=finished)
    return {
        "queues": [(queue, _drawn(queue.finished)) for queue in queues],
        "workers": processes.workers(now=now),
        "beat": processes.beat(now=now),
        "relay": processes.relay_lag(),
        "database": processes.database(),
        "broker": watch.state(),
    }


def _drawn(finished: Any) -> sparkline.Sparkline:
    return sparkline.draw(finished, what=f"Jobs ended in each of the last {throughput.MINUTES} minutes")


def _own(user_id: int) -> dict[str, Any]:
    figures = own_figures.of(user_id)
    return {"figures": list(figures.items()), "has_jobs": any(figures.values()), "looked_at": LOOKED_AT}

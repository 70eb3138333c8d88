"""The page of one job."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from warren.dashboard import clone, family, graph, panels, progress, timeline
from warren.dashboard.access import is_live, member
from warren.dashboard.step_views import find
from warren.delivery import retry
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import bulk, events, failures, presentable, visible

LONGEST_SHOWN = 20_000  # characters; the API has the whole


@require_safe
@member
def job_page(request: HttpRequest, job_id: str) -> HttpResponse:
    """All that is known of a job; asked for by htmx, its live part alone."""
    job = find(request, job_id)
    context = _context(request, job)
    return render(request, f"dashboard/job.html{'#live' if is_live(request) else ''}", context)


def _context(request: HttpRequest, job: Job) -> dict[str, Any]:
    history = events.history_of(job, context={"request": request})
    around = family.of(job, jobs=visible.jobs_for(request.user))
    return {
        "job": job,
        "args": _pretty(presentable.loads(job.arguments)[0]),
        "kwargs": _pretty(presentable.loads(job.arguments)[1]),
        "result": _pretty(presentable.loads(job.result)) if job.state == State.SUCCEEDED else "",
        "error": failures.of(job),
        "progress": progress.of(job) if not job.is_final else None,
        "moments": timeline.of(job, history=history, now=timezone.now()),
        "family": around,
        "drawing": graph.draw(around.relatives, here=job.pk) if len(around.relatives) > 1 else None,
        "panels": panels.of(job),
        "may_retry": retry.refusal(job) is None,
        "may_cancel": not job.is_final,
        "may_clone": clone.may(job),
        "why_not": retry.refusal(job) if job.is_final and job.state != State.SUCCEEDED else "",
        "longest_reason": bulk.LONGEST_REASON,
    }


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}\n… cut here; the API has the whole"

"""Retrying, cancelling and cloning one job."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from rest_framework.exceptions import APIException

from warren.dashboard import bulk_views, clone
from warren.dashboard.access import member
from warren.dashboard.steps import STEPS
from warren.delivery.errors import DeliveryError
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.jobs import bulk, visible


@require_POST
@member
def one_step(request: HttpRequest, job_id: str, verb: str) -> HttpResponse:
    """Do it, and show the job."""
    job = find(request, job_id)
    if verb not in STEPS:
        raise Http404
    step = STEPS[verb]
    result = step.do([job.pk], Actor(user_id=request.user.pk), request.POST.get("reason", "")[: bulk.LONGEST_REASON])
    bulk_views.tell(request, step, result)
    return redirect("job-page", job.pk)


@require_POST
@member
def clone_job(request: HttpRequest, job_id: str) -> HttpResponse:
    """Submit it anew, and show the new job."""
    job = find(request, job_id)
    if not clone.may(job):
        raise Http404
    try:
        new_id = clone.clone(job, by=int(request.user.pk or 0))
    except (APIException, DeliveryError) as exc:
        messages.error(request, f"It was not submitted: {_words(exc)}")
        return redirect("job-page", job.pk)
    messages.success(request, "Submitted anew; this is the new job.")
    if clone.calls_nobody(job):
        messages.warning(
            request, "It has no callback_url: nobody is called at its end, as somebody was at the first's."
        )
    return redirect("job-page", new_id)


def find(request: HttpRequest, job_id: str) -> Job:
    """The job. Raises `Http404` for one that the user may not see, as for none."""
    job = None if "\x00" in job_id else visible.jobs_for(request.user).filter(pk=job_id).first()
    if job is None:
        raise Http404(f"There is no job {job_id!r} that you may see.")
    return job


def _words(exc: Exception) -> str:
    detail = getattr(exc, "detail", None)
    if isinstance(detail, dict):
        return " ".join(f"{name}: {' '.join(map(str, why))}" for name, why in detail.items())
    return str(detail or exc)

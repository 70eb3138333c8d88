"""The deliveries on the job's page of the dashboard, and the button there that asks for one once more."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.views.decorators.http import require_POST

from apps.webhooks import deliveries, history
from apps.webhooks.errors import NothingToRepeatError
from apps.webhooks.models import Delivery
from warren.delivery.models import Job
from warren.jobs import visible


def context(job: Job) -> dict[str, Any] | None:
    """What the template `webhooks/attempts.html` shows; None, without a query, for a job that calls nobody."""
    told = history.of(job)
    return {"told": told} if told else None


@require_POST
def redeliver(request: HttpRequest, job_id: str, delivery_id: str) -> HttpResponse:
    """Make the call once more, and go back to the job's page."""
    seen = visible.jobs_for(request.user) if request.user.is_authenticated else Job.objects.none()
    delivery = Delivery.objects.select_related("job").filter(job__in=seen, job_id=job_id, pk=delivery_id).first()
    if delivery is None:
        raise Http404("There is no such delivery that you may see.")
    try:
        deliveries.repeat(delivery, by_id=int(request.user.pk or 0))
    except NothingToRepeatError as exc:
        messages.warning(request, str(exc))
    else:
        messages.success(request, "The receiver is called once more.")
    return HttpResponseRedirect(_page_of(delivery.job))


def _page_of(job: Job) -> str:
    try:
        return resolve_url("job-page", job.pk)
    except NoReverseMatch:
        return resolve_url("job-webhooks", job.pk)

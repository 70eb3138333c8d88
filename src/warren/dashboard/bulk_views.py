"""Retrying and cancelling many jobs: first a page that names what would be done, then exactly that."""

from collections import Counter
from dataclasses import dataclass, field

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from warren.dashboard import filter_form, job_pages, wording
from warren.dashboard.access import member
from warren.dashboard.steps import STEPS, Result, Step
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.jobs import bulk, filters, visible
from warren.jobs.bulk import BulkSerializer, Chosen

SHOWN = 20  # jobs that the page names one by one
REASONS = 3  # of refusals, that a message tells


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Ids of the jobs that a step is about to change; `matching` counts all that the filter matches, capped."""

    ids: list[str]
    matching: int
    query: str = ""
    looked_at_all: bool = True
    unseen: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def bulk_step(request: HttpRequest, verb: str) -> HttpResponse:
    """GET with a filter, POST with `ids`: what would be done. POST with `confirmed`: does it to the ids it names."""
    if verb not in STEPS:
        raise Http404
    step = STEPS[verb]
    if request.method == "POST" and "confirmed" in request.POST:
        return _do(request, step)
    plan = _by_ids(request, step) if request.method == "POST" else _by_filter(request, step)
    return render(request, "dashboard/confirm.html", _context(request, step, plan))


def _by_ids(request: HttpRequest, step: Step) -> Plan:
    chosen = _chosen(request, step, request.POST.getlist("ids"))
    return Plan(ids=chosen.ids, matching=len(chosen.ids), query=request.POST.get("query", ""), unseen=chosen.refused)


def _by_filter(request: HttpRequest, step: Step) -> Plan:
    form = filter_form.read(request.GET)
    if form.errors or form.wanted.get("state") not in (None, *step.allowed):
        return Plan(ids=[], matching=0, query=form.query)
    jobs, wanted, states = visible.jobs_for(request.user), form.wanted, step.states
    looked_at = job_pages.oldest(jobs, wanted=wanted, states=states)
    chosen = bulk.matching(looked_at, wanted, states=states, allowed=step.allowed)
    # all that match are chosen, or they are counted: what was looked at of a search, else as far as a page counts
    counted = looked_at if "search" in wanted else jobs
    found = filters.narrowed(counted, wanted=wanted, states=states).order_by()
    matching = found[: wording.MOST + 1].count() if chosen.more else len(chosen.ids)
    # all else of a filter is asked of every job
    looked_at_all = "search" not in wanted or not job_pages.are_more(jobs, wanted=wanted, states=states)
    return Plan(ids=chosen.ids, matching=matching, query=form.query, looked_at_all=looked_at_all)


def _chosen(request: HttpRequest, step: Step, ids: list[str]) -> Chosen:
    """Those of the ids that the user may see. Raises `BadRequest` (400) for what are no ids."""
    if not ids:
        return Chosen([])
    form = BulkSerializer(data={"ids": ids})
    if not form.is_valid() or any("\x00" in job_id for job_id in ids):
        raise BadRequest("these are no ids of jobs")
    return bulk.chosen(form.validated_data, user=request.user, states=step.states, allowed=step.allowed)


def _context(request: HttpRequest, step: Step, plan: Plan) -> dict[str, object]:
    rows = Job.objects.filter(pk__in=plan.ids).order_by("created_at", "pk")
    kinds = Counter(rows.values_list("task", "state"))
    return {
        "step": step,
        "plan": plan,
        "ids": "\n".join(plan.ids),
        "kinds": [(task, state, number) for (task, state), number in kinds.most_common()],
        "shown": rows.filter(pk__in=plan.ids[:SHOWN]).only("id", "task", "queue", "state", "created_at"),
        "hidden": max(len(plan.ids) - SHOWN, 0),
        "back": _back(request, plan.query),
        "longest_reason": bulk.LONGEST_REASON,
    }


def _do(request: HttpRequest, step: Step) -> HttpResponse:
    chosen = _chosen(request, step, [line for line in request.POST.get("ids", "").splitlines() if line])
    reason = request.POST.get("reason", "")[: bulk.LONGEST_REASON]
    result = step.do(chosen.ids, Actor(user_id=request.user.pk), reason)
    tell(request, step, result, unseen=chosen.refused)
    return redirect(_back(request, request.POST.get("query", "")))


def tell(request: HttpRequest, step: Step, result: Result, *, unseen: dict[str, str] | None = None) -> None:
    """Say on the next page what came of it."""
    if result.changed:
        messages.success(request, f"{wording.jobs(len(result.changed))} {step.done}. {result.note}".strip())
    refused = {**result.refused, **(unseen or {})}
    for why, number in Counter(refused.values()).most_common(REASONS):
        messages.warning(request, f"{wording.jobs(number)} left as before: {why}")
    if not result.changed and not refused:
        messages.info(request, "Nothing was chosen, so nothing was done.")


def _back(request: HttpRequest, query: str) -> str:
    wanted = request.POST.get("back") or request.GET.get("back") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return f"{reverse('job-list')}{'?' if query else ''}{query}"

"""The pages: forms, and what became of one that was sent. All of it works without JavaScript."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import APIException, NotFound, ValidationError

from warren.dashboard.access import LIVE, member
from warren.delivery import idempotency
from warren.delivery.errors import IdempotencyConflictError, IdempotencyKeyError, QueueFullError
from warren.delivery.models import Job
from warren.jobs import visible
from warren.jobs.submit import Submission, submit
from warren.try_it import earlier, inputs, outcome, refusals, trials
from warren.try_it.trials import Trial

STOP_POLLING = 286  # htmx's own status: the answer is shown, and no other is asked for


@member
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Forms of the featured ones, and links to the others."""
    everything = trials.everything()
    context = {
        "forms": [_form(each, values=_initial(each)) for each in everything if each.is_featured],
        "others": [each for each in everything if not each.is_featured],
    }
    return render(request, "try_it/index.html", context)


@member
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, task: str) -> HttpResponse:
    """One form, with `?like=` filled in as that job was called. Sent, it leads to the job's page."""
    trial = _find(task)
    if request.method != "POST":
        like = request.GET.get("like")
        return _page(request, _form(trial, values=_as_in(request, trial, like) if like else _initial(trial)))
    given = inputs.typed(trial.fields, post=request.POST, files=request.FILES)
    try:
        job_id = _accept(request, trial, given)
    except APIException as exc:
        errors = refusals.of(exc, fields={each.name for each in trial.fields})
        return _page(request, _form(trial, values=given, errors=errors), status=exc.status_code)
    except QueueFullError as exc:
        busy = {refusals.GENERAL: [f"Too much waits already; try again in a moment. ({exc})"]}
        return _page(request, _form(trial, values=given, errors=busy), status=HTTPStatus.SERVICE_UNAVAILABLE)
    return redirect("try-it-job", task=task, job_id=job_id)


@member
@require_GET
def job(request: HttpRequest, task: str, job_id: str) -> HttpResponse:
    """What became of it: asked again each second by the page itself, until it has ended."""
    trial = _find(task)
    found = _find_job(request, trial, job_id)
    told = outcome.of(found)
    context = {"trial": trial, "job": found, "outcome": told, **_presented(trial, told)}
    if request.headers.get(LIVE) != "true":
        return render(request, "try_it/job.html", context)
    status = STOP_POLLING if told["is_final"] else HTTPStatus.OK
    return render(request, "try_it/job.html#live", context, status=status)


def _find(task: str) -> Trial:
    trial = trials.find(task)
    if trial is None:
        raise Http404(f"There is no task {task!r} to try.")
    return trial


def _find_job(request: HttpRequest, trial: Trial, job_id: str) -> Job:
    try:
        found = visible.find(job_id, user=request.user)
    except NotFound as exc:
        raise Http404(str(exc.detail)) from exc
    if found.task != trial.task:
        raise Http404(f"Job {job_id!r} is not one of {trial.task}.")
    return found


def _initial(trial: Trial) -> Mapping[str, Any]:
    return trial.initial(timezone.now())


def _as_in(request: HttpRequest, trial: Trial, job_id: str) -> Mapping[str, Any]:
    found = _find_job(request, trial, job_id)
    # how a form of its own makes a job of its fields is its own affair
    return _initial(trial) if trial.submit else earlier.typed(trial.fields, job=found)


def _presented(trial: Trial, told: Mapping[str, Any]) -> dict[str, Any]:
    if told["state"] != "succeeded":
        return {}
    text = json.dumps(told["result"], indent=2, ensure_ascii=False)
    return {"result_text": text, **trial.present(told["result"])}


def _form(
    trial: Trial, *, values: Mapping[str, Any], errors: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    wrong = errors or {}
    fields = inputs.made_of(trial.fields, prefix=trial.task.replace(".", "-"), values=values, errors=wrong)
    return {
        "trial": trial,
        "fields": fields,
        "errors": list(wrong.get(refusals.GENERAL, ())),
        "is_wrong": bool(wrong),
        "with_file": any(each.kind == "file" for each in fields),
        "key": str(uuid4()),
    }


def _page(request: HttpRequest, shown: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "try_it/form.html", {"form": shown}, status=status)


def _accept(request: HttpRequest, trial: Trial, given: Mapping[str, Any]) -> str:
    """The job's id. The form's key makes a second click on its button the first one's job."""
    values = inputs.as_json(trial.fields, given=given)
    serializer = trial.serializer(values)
    serializer.is_valid(raise_exception=True)
    owner_id: Any = request.user.pk
    try:
        return _submit(trial, values, serializer.validated_data, owner_id=owner_id, key=_key(request))
    except IdempotencyConflictError:  # sent before, gone back, and changed: it is another one
        return _submit(trial, values, serializer.validated_data, owner_id=owner_id, key=None)


def _submit(trial: Trial, values: dict[str, Any], validated: Any, *, owner_id: int, key: str | None) -> str:
    if trial.submit:
        return trial.submit(validated, owner_id=owner_id, key=key)
    wanted = Submission(task=trial.task, kwargs=values)
    return submit(wanted, owner_id=owner_id, now=timezone.now(), key=key).jobs[0].pk


def _key(request: HttpRequest) -> str | None:
    key = request.POST.get("key")
    try:
        if key:
            idempotency.refuse_bad(key)
    except IdempotencyKeyError as exc:
        raise ValidationError(str(exc)) from exc
    return key or None

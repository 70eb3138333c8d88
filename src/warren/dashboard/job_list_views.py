"""The list of jobs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from warren.dashboard import filter_form, job_pages
from warren.dashboard.access import is_live, member
from warren.dashboard.filter_form import FilterForm
from warren.dashboard.job_pages import JobPage
from warren.delivery import retry
from warren.delivery.states import OPEN
from warren.jobs import visible


@require_safe
@member
def job_list(request: HttpRequest) -> HttpResponse:
    """The jobs that the filter in the address matches; asked for by htmx, their rows alone."""
    form = filter_form.read(request.GET)
    before = request.GET.get("before", "")
    jobs = visible.jobs_for(request.user)
    page = JobPage(jobs=[], count=0) if form.errors else job_pages.page(jobs, wanted=form.wanted, before=before)
    context = {
        "form": form,
        "page": page,
        "before": before,
        "older": filter_form.encoded({**form.typed, "before": page.older}) if page.older else "",
        **_offered(form),
    }
    return render(request, f"dashboard/jobs.html{'#rows' if is_live(request) else ''}", context)


def _offered(form: FilterForm) -> dict[str, bool]:
    """Which bulk actions make sense for what is listed."""
    state = form.typed.get("state")
    return {
        "may_retry": state is None or state in retry.RETRYABLE,
        "may_cancel": state is None or state in OPEN,
    }

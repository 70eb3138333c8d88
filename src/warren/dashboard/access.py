"""Who may open a page, and what becomes of one that cannot be shown now.

a page, nobody logged in          the login page, and back
a live part, session ended        401: the page says so, and goes on when somebody has logged in again
a page for staff, another user    404, as for what does not exist
Postgres away                     503; pages try again by themselves
"""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate

import psycopg
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from warren.jobs.api_errors import RETRY_AFTER_S

LIVE = "HX-Request"  # the header that htmx sends

log = logging.getLogger(__name__)

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def member[**P](view: View[P]) -> View[P]:
    """A page for whoever is logged in."""
    return _guarded(view, staff_only=False)


def staff[**P](view: View[P]) -> View[P]:
    """A page for the staff."""
    return _guarded(view, staff_only=True)


def is_live(request: HttpRequest) -> bool:
    """Whether the page that is open asks for its live part alone."""
    return request.headers.get(LIVE) == "true"


def patient[**P](view: View[P]) -> View[P]:
    """Any page: says so calmly when Postgres is away."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError) as exc:
            log.warning("Postgres does not answer: %s", exc)
            return _away(request)

    return guarded


def _guarded[**P](view: View[P], *, staff_only: bool) -> View[P]:
    @never_cache
    @patient
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _log_in_first(request)
        if staff_only and not request.user.is_staff:
            raise Http404
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, [LIVE])
        return response

    kept: Any = guarded  # never_cache is typed as giving back what it was given, which wraps() is not
    return kept  # type: ignore[no-any-return]


def _log_in_first(request: HttpRequest) -> HttpResponse:
    if is_live(request):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


def _away(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    if is_live(request):
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    page = render_to_string("dashboard/away.html", request=request)
    return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)

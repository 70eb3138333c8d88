"""Guessing passwords at the login pages, the dashboard's and the admin's, is as slow as at /api/token/.

The rate is TOKEN_RATE for each address, which is told and counted as there (TRUSTED_PROXIES, the same cache). A try is
counted before the password is looked at, so that many at once are counted too, and taken back when it was right: only
wrong ones count. An address that is over the rate waits, whatever it sends, else a guess would still be answered.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from math import ceil
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from warren.jobs.throttling import ExactThrottle

log = logging.getLogger(__name__)

type View = Callable[..., HttpResponseBase]


class TooManyGuessesError(Exception):
    """Too many wrong passwords came from the address; it may try again in `wait_s` seconds."""

    def __init__(self, *, wait_s: int) -> None:
        super().__init__(self.__doc__)
        self.wait_s = wait_s


class GuessThrottle(ExactThrottle):
    """The wrong passwords of one address."""

    scope = "login"
    duration: int | None  # seconds; DRF sets it, and its types leave it out

    def get_rate(self) -> str | None:
        return self.THROTTLE_RATES["token"]

    def get_cache_key(self, request: Any, view: Any) -> str:  # noqa: ARG002  DRF's signature
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

    def count(self, request: Any) -> None:
        """Count a try. Raises `TooManyGuessesError`, and counts none, when there were too many."""
        view: Any = None
        if not self.allow_request(request, view):
            log.warning("too many wrong passwords from %s", self.get_ident(request))
            raise TooManyGuessesError(wait_s=ceil(self.wait() or self.duration or 0))

    def take_back(self, request: Any) -> None:
        """The try that was counted last was right."""
        if self.rate is None:
            return
        with self.one_by_one(request):
            history = self.cache.get(self.key, [])
            self.cache.set(self.key, [each for each in history if each != self.now], self.duration)


class CountedForm(AuthenticationForm):
    """Django's login form, whose wrong passwords are counted. Raises `TooManyGuessesError`."""

    def clean(self) -> dict[str, Any]:
        throttle = GuessThrottle()
        throttle.count(self.request)
        cleaned = super().clean()
        if self.get_user() is not None:
            throttle.take_back(self.request)
        return cleaned


class CountedAdminForm(CountedForm, AdminAuthenticationForm):
    """The admin's, which lets in the staff alone."""


def slowed(view: View) -> View:
    """A page with such a form, which answers 429 to who has guessed too often."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except TooManyGuessesError as exc:
            page = render_to_string("dashboard/slow.html", {"wait": timedelta(seconds=exc.wait_s)}, request=request)
            headers = {"Retry-After": str(exc.wait_s), "Cache-Control": "no-store"}
            return HttpResponse(page, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)

    return guarded

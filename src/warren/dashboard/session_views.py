"""Logging in, and the root, which leads there or to the overview."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from warren.dashboard.access import patient
from warren.dashboard.guessing import CountedForm, slowed


@never_cache
@patient
def root(request: HttpRequest) -> HttpResponse:
    """Where a person who only knows the address begins."""
    return redirect("overview" if request.user.is_authenticated else "login")


log_in = patient(
    slowed(
        LoginView.as_view(
            template_name="dashboard/login.html",
            authentication_form=CountedForm,
            next_page="overview",
            redirect_authenticated_user=True,
        )
    )
)
log_out = patient(LogoutView.as_view(next_page="login"))

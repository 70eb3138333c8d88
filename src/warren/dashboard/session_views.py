"""Logging in, and the root, which leads there or to the overview."""

from django.conf import settings
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


def _is_local() -> bool:
    """Whether only those can be here who can read `.env` too: the site has no name but this machine's."""
    return settings.DEBUG or set(settings.ALLOWED_HOSTS) <= set(settings.LOCAL_HOSTS)


log_in = patient(
    slowed(
        LoginView.as_view(
            template_name="dashboard/login.html",
            authentication_form=CountedForm,
            next_page="overview",
            extra_context={"is_local": _is_local},
            redirect_authenticated_user=True,
        )
    )
)
log_out = patient(LogoutView.as_view(next_page="login"))

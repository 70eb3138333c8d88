"""The example page at /follow/: one job, followed in both ways."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View


class FollowPage(LoginRequiredMixin, View):
    """Its script is `docs/examples/follow.js`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        answer = render(request, "jobs/follow.html", {"job_id": request.GET.get("job", "")})
        answer["Content-Security-Policy"] = policy(request)
        return answer


def policy(request: HttpRequest) -> str:
    """Nothing but its own files and streams. Not every browser counts a WebSocket to the own host as 'self'."""
    sockets = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {sockets}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

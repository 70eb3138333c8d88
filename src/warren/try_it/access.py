"""Who may try things: whoever is logged in. The jobs are their own."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.views.decorators.cache import never_cache

LIVE = "HX-Request"  # the header that htmx sends


def member(view: Callable[..., Any]) -> Any:
    """A page for whoever is logged in; others are led to the login page, and back."""
    return never_cache(login_required(view))

"""What the dashboard's templates say in one way everywhere: moments, lengths of time, states, the navigation."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from warren.dashboard import navigation as registry
from warren.dashboard import wording

register = template.Library()


@register.inclusion_tag("dashboard/navigation.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, Any]:
    """The pages that the user may open, the present one marked."""
    request = context["request"]
    match = request.resolver_match
    return {"items": registry.items(is_staff=request.user.is_staff), "here": match.url_name if match else ""}


@register.simple_tag
def ago(moment: datetime | None, empty: str = wording.NOTHING) -> str | SafeString:
    """`3 min ago` or `in 3 min`, the exact time on hover."""
    if moment is None:
        return empty
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        wording.distance(moment, now=timezone.now()),
    )


@register.filter
def duration(length: timedelta | None) -> str:
    """`1.2 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`; a dash for none."""
    return wording.NOTHING if length is None else wording.length(length)


@register.filter
def capped(count: int) -> str:
    """A count that stops at a limit: `10 000+` beyond it."""
    return wording.capped(count)


@register.simple_tag
def state(value: str) -> SafeString:
    """A job's state as a badge: its colour says the same as its word."""
    return format_html('<span class="badge {}">{}</span>', wording.tone(value), value)

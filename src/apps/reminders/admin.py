"""Reminders in Django's admin: to look at, and to cancel."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.reminders import keeping
from apps.reminders.models import Occurrence, Reminder


class OccurrenceInline(admin.TabularInline):  # type: ignore[type-arg]  # it takes no type at run time
    """Each time that it was due."""

    model = Occurrence
    fields = readonly_fields = ("due_at", "state", "why", "sent_at")
    extra = 0

    def has_add_permission(self, _request: HttpRequest, _obj: Reminder | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Reminder | None = None) -> bool:
        return False


@admin.register(Reminder)
class ReminderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no type at run time
    """People set their own; here they are looked at, cancelled and deleted."""

    list_display = ("id", "owner", "text", "repeat", "next_at", "cancelled_at")
    list_filter = ("repeat",)
    list_select_related = ("owner",)
    search_fields = ("owner__email", "text")
    inlines = (OccurrenceInline,)
    actions = ("cancel",)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Reminder | None = None) -> bool:
        return False

    @admin.action(description="Cancel the selected reminders", permissions=["delete"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Reminder]) -> None:
        """Let them be due no more."""
        count = sum(keeping.cancel(each) for each in chosen)
        self.message_user(request, f"{count} cancelled.")

"""Jobs in Django's admin, to look at: what changes a job is the API, because every change is guarded there."""

from django.contrib import admin
from django.http import HttpRequest

from warren.delivery.models import Job, JobEvent


class JobEventInline(admin.TabularInline):  # type: ignore[type-arg]  # it takes no type at run time
    """A job's history, which nobody changes."""

    model = JobEvent
    fields = ("at", "kind", "actor", "actor_label", "reason", "state", "attempt", "worker", "traceback")
    readonly_fields = fields
    verbose_name_plural = "history"
    extra = 0

    def has_add_permission(self, _request: HttpRequest, _obj: Job | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Job | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no type at run time
    """Read-only."""

    list_display = ("id", "task", "queue", "state", "owner", "attempt", "created_at", "finished_at")
    list_filter = ("state", "queue", "task")
    list_select_related = ("owner",)
    search_fields = ("id", "task", "arguments")
    inlines = (JobEventInline,)
    show_full_result_count = False  # a second count of a large table for every search

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Job | None = None) -> bool:
        return False

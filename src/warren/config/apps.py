from django.apps import AppConfig


class WarrenConfig(AppConfig):
    name = "warren.config"
    label = "warren"

    def ready(self) -> None:
        """Make Warren's Celery app the current one in every Django process, so that `@shared_task` finds it."""
        from warren.config import celery  # noqa: F401, PLC0415  the apps must be loaded first

from django.apps import AppConfig


class WarrenConfig(AppConfig):
    name = "warren.config"
    label = "warren"

    def ready(self) -> None:
        """Make Warren's Celery app the current one in every Django process, and load every app's tasks into it."""
        from warren.config import celery  # noqa: PLC0415  the models must be loaded first

        celery.load_tasks(celery.app)

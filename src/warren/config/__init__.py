"""Warren's composition: settings, the Celery app, urls. Everything else is imported from here, never the other way."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`celery -A warren.config` finds the app here; lazily, because the app needs Django's settings first."""
    if name in ("app", "celery_app"):
        from warren.config.celery import app  # noqa: PLC0415  settings import this package

        return app
    raise AttributeError(name)

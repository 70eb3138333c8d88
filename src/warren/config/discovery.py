"""Finds the apps of src/apps, so that adding one is adding a folder.

An app is a package in src/apps with an `apps.py`. What it may bring: `urls.py` (mounted under /api/), `tasks.py`,
`schedule.py` with SCHEDULE, and anything Django knows. An import error in any of them stops the start: a broken app
must be seen at once, not as a missing page later.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, include, path

APPS_DIR = Path(__file__).resolve().parents[2] / "apps"


def installed_apps() -> list[str]:
    """Dotted names of the packages in src/apps, in alphabetical order."""
    return [f"apps.{folder.name}" for folder in sorted(APPS_DIR.iterdir()) if (folder / "apps.py").is_file()]


def urlpatterns() -> list[URLPattern | URLResolver]:
    """One include for each app that has a urls.py."""
    return [path("", include(f"{app}.urls")) for app in installed_apps() if find_spec(f"{app}.urls")]


def schedule() -> dict[str, dict[str, Any]]:
    """The SCHEDULE of all apps in Celery's beat_schedule form; two entries of one name are an error."""
    merged: dict[str, dict[str, Any]] = {}
    for app in installed_apps():
        if not find_spec(f"{app}.schedule"):
            continue
        entries = import_module(f"{app}.schedule").SCHEDULE
        if clash := merged.keys() & entries.keys():
            raise ImproperlyConfigured(f"{app}.schedule names {sorted(clash)} again; give each entry a name of its own")
        merged |= entries
    return merged

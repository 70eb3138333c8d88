"""Settings: can the secrets be read, is this fit for others to reach, does the time zone make sense?"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from warren.doctor.finding import Check, Finding, fail, ok, warn

SHORTEST_KEY = 32  # Django's own check warns below 50 letters, of which a generated one in hexadecimal needs fewer
FOLDER = "/run/secrets"
LOCAL = {"localhost", "127.0.0.1", "[::1]", "web"}  # what settings.py always allows
MAY_BE_EMPTY = ("EMAIL_PASSWORD_FILE", "OTEL_EXPORTER_OTLP_HEADERS_FILE", "WEBHOOK_PREVIOUS_SECRET_FILE")
MAKE_UP = "Mend the line in .env (.env.example explains it), then: make up"
SECRETS = "docker compose up --detach --force-recreate secrets && make up"


def secrets(environment: Mapping[str, str] = os.environ) -> Finding:
    """Every variable X_FILE names a file that can be read and holds something."""
    named = {
        name: Path(path) for name, path in environment.items() if name.endswith("_FILE") and path.startswith(FOLDER)
    }
    for name, path in named.items():
        try:
            content = path.read_text().strip()
        except OSError as exc:
            return fail(f"{name}={path} cannot be read: {exc.strerror}", do=SECRETS)
        if not content and name not in MAY_BE_EMPTY:
            do = f"Give {name.removesuffix('_FILE')} a value in .env, then: {SECRETS}"
            return fail(f"{name}={path} is empty", do=do)
    if len(settings.SECRET_KEY) < SHORTEST_KEY:
        return warn(f"DJANGO_SECRET_KEY has {len(settings.SECRET_KEY)} letters; sessions can be forged", do=MAKE_UP)
    return ok(f"{len(named)} secrets from files" if named else "secrets from the environment")


def exposure() -> Finding:
    """DEBUG shows source and settings to whoever causes an error; a `*` lets anybody choose the site's name."""
    others = sorted(set(settings.ALLOWED_HOSTS) - LOCAL)
    if "*" in others:
        return warn("DJANGO_ALLOWED_HOSTS has *: any Host header is believed", do=MAKE_UP)
    if settings.DEBUG and others:
        return fail(
            f"DJANGO_DEBUG is on, and {', '.join(others)} may be asked for: errors show settings to strangers",
            do="Start it with `make up`; DEBUG is for `make dev` on your own machine.",
        )
    if settings.DEBUG:
        return warn("DJANGO_DEBUG is on, as `make dev` has it", do="For others to use it: make up")
    if others and not settings.SESSION_COOKIE_SECURE:
        return warn(
            f"{', '.join(others)}: cookies travel by http too",
            do="Behind a TLS proxy: DJANGO_PUBLIC_SCHEME=https in .env (docs/how-to/behind-a-proxy.md), then make up",
        )
    return ok(f"DEBUG is off; names: {', '.join(others) or 'this machine only'}")


def time_zone(name: str | None = None) -> Finding:
    """The zone of schedules and of shown times; `name` stands for TIME_ZONE."""
    name = name or settings.TIME_ZONE
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return fail(f"TIME_ZONE={name!r} is no zone that Python knows", do=MAKE_UP)
    now = datetime.now(zone)
    if name.startswith("Etc/GMT") and now.utcoffset():
        return warn(f"TIME_ZONE={name} is UTC{now:%:z}: its sign is the other way round", do=MAKE_UP)
    if not settings.USE_TZ or settings.CELERY_TIMEZONE != settings.TIME_ZONE:
        return fail(
            f"Django has {settings.TIME_ZONE}, Celery {settings.CELERY_TIMEZONE}", do="Undo the change to settings.py"
        )
    return ok(f"{name}, where it is {now:%H:%M} (UTC{now:%:z})")


CHECKS = (
    Check(name="settings.secrets", examine=secrets),
    Check(name="settings.exposure", examine=exposure),
    Check(name="settings.time_zone", examine=time_zone),
)

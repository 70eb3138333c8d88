"""When Warren tidies up after itself; times are in TIME_ZONE. What is an app's is in that app's schedule."""

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "delete-expired-sessions": {
        "task": "warren.maintenance.delete_expired_sessions",
        "schedule": crontab(hour="3", minute="10"),
    },
    "delete-expired-cache-rows": {
        "task": "warren.maintenance.delete_expired_cache_rows",
        "schedule": crontab(minute="20"),
    },
    "delete-spooled-uploads": {
        "task": "warren.maintenance.delete_spooled_uploads",
        "schedule": crontab(hour="3", minute="30"),
    },
}

"""What beat runs for this app; times are in TIME_ZONE."""

from celery.schedules import crontab

SCHEDULE = {
    "tidy-pictures": {"task": "images.tidy_pictures", "schedule": crontab(hour="3", minute="40")},
}

"""What beat runs for this app; times are in TIME_ZONE."""

from celery.schedules import crontab

SCHEDULE = {
    # after the jobs that are over have been deleted
    "tidy-reports": {"task": "reports.tidy_reports", "schedule": crontab(hour="4", minute="30")},
}

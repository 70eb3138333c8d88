"""What beat runs for this app; times are in TIME_ZONE."""

from datetime import timedelta

from celery.schedules import crontab

SCHEDULE = {
    "send-due-reminders": {
        "task": "reminders.send_due_reminders",
        "schedule": timedelta(minutes=1),
        # what a tick that waited too long would do, the next one does
        "options": {"expires": 55},
    },
    "tidy-reminders": {"task": "reminders.tidy_reminders", "schedule": crontab(hour="4", minute="40")},
}

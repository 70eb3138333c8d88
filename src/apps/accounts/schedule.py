"""What beat runs for this app; times are in TIME_ZONE."""

from celery.schedules import crontab

SCHEDULE = {
    "birthday-mails": {
        "task": "accounts.send_birthday_mails",
        "schedule": crontab(hour="8", minute="0"),
    },
    "delete-expired-tokens": {
        "task": "accounts.delete_expired_tokens",
        "schedule": crontab(hour="3", minute="15"),
    },
}

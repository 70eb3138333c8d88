"""One entry of each kind. None is due while tests run."""

from datetime import timedelta

from celery.schedules import crontab, solar

SCHEDULE = {
    "probe-interval": {"task": "probe.cpu.noop", "schedule": timedelta(days=300)},
    "probe-crontab": {
        "task": "probe.cpu.noop",
        "schedule": crontab(minute="30", hour="3", day_of_month="29", month_of_year="2"),
    },
    "probe-solar": {"task": "probe.io.noop", "schedule": solar("dusk_astronomical", -77.85, 166.67)},
}

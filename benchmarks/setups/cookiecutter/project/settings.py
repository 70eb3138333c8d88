"""The Celery part of what cookiecutter-django generates (August 2026, for production), with its Postgres connection.

Its broker and its results share one Redis database, and its workers send events, which its Flower would show.
"""

SECRET_KEY = "for-benchmarks-only"  # noqa: S105  of a project that serves no page
INSTALLED_APPS = ["django.contrib.contenttypes", "django_celery_beat", "work"]
USE_TZ = True
TIME_ZONE = CELERY_TIMEZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "postgres",
        "NAME": "warren",
        "USER": "warren",
        "PASSWORD": "for-benchmarks-only",
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
    }
}

CELERY_BROKER_URL = CELERY_RESULT_BACKEND = "redis://valkey:6379/0"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_BACKEND_ALWAYS_RETRY = True
CELERY_RESULT_BACKEND_MAX_RETRIES = 10
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# it takes Celery's logger over and prints a line to stderr for each record, as it does for Django's
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"verbose": {"format": "%(levelname)s %(asctime)s %(module)s %(process)d %(thread)d %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "verbose"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}

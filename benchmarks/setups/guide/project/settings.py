"""What the guide sets, and nothing else: Redis for broker and results, everything at Celery's defaults."""

SECRET_KEY = "for-benchmarks-only"  # noqa: S105  of a project that serves no page
INSTALLED_APPS = ["work"]
USE_TZ = True
TIME_ZONE = CELERY_TIMEZONE = "UTC"

CELERY_BROKER_URL = "redis://valkey:6379/0"
CELERY_RESULT_BACKEND = "redis://valkey:6379/1"

"""What many projects end up with: RabbitMQ, and results in the database through django-celery-results."""

SECRET_KEY = "for-benchmarks-only"  # noqa: S105  of a project that serves no page
INSTALLED_APPS = ["django_celery_results", "work"]
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
    }
}

CELERY_BROKER_URL = "amqp://admin:for-benchmarks-only@rabbitmq:5672/warren"
CELERY_RESULT_BACKEND = "django-db"

"""Django's and Celery's settings. What differs between places comes from the environment (`.env.example`)."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from environs import validate

from warren.config import discovery, pool, tls
from warren.config.env import env
from warren.config.queues import DEFAULT_QUEUE, QUEUES
from warren.delivery.silence import SOCKET_SETTINGS
from warren.delivery.topology import REDIS_SCHEMES, REDIS_VISIBILITY_TIMEOUT_S
from warren.maintenance.schedule import SCHEDULE as MAINTENANCE
from warren.telemetry import lines

BASE_DIR = Path(__file__).resolve().parents[2]

# Which of the images this is: web, worker, beat or relay. Only web has the packages that pages need.
SERVICE = env.str("WARREN_SERVICE", "web")
IS_WEB = SERVICE == "web"
POOL = env.str("WORKER_POOL", "") if SERVICE == "worker" else ""

# --- Django ---------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DJANGO_DEBUG", False)
SECRET_KEY = env.str("DJANGO_SECRET_KEY")
# the health check, the curl lines and the other containers ask by these names, whatever the site is called
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "web")
ALLOWED_HOSTS = [*LOCAL_HOSTS, *env.list("DJANGO_ALLOWED_HOSTS", [])]
CSRF_TRUSTED_ORIGINS: list[str] = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", [])
# "https" behind a proxy that terminates TLS and sets X-Forwarded-Proto
if env.str("DJANGO_PUBLIC_SCHEME", "http") == "https":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

ROOT_URLCONF = "warren.config.urls"
ASGI_APPLICATION = "warren.config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    *(["drf_spectacular_sidecar", "django_htmx"] if IS_WEB else []),
    "django_celery_beat",
    "warren.config",
    "warren.delivery",
    "warren.health",
    "warren.scheduling",
    "warren.maintenance",
    "warren.jobs",
    "warren.doctor",
    *(["warren.try_it"] if IS_WEB else []),
    *(["warren.dashboard"] if IS_WEB else []),
    *discovery.installed_apps(),
]

MIDDLEWARE = [
    "warren.telemetry.middleware.request_middleware",
    "warren.health.any_host.AnyHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    *(["whitenoise.middleware.WhiteNoiseMiddleware"] if IS_WEB else []),
    "warren.jobs.lengths.LengthRequiredMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "warren.dashboard.content_policy.ContentPolicyMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR.parent / "static"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", "/var/lib/warren/media"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_WEB and not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # every page names the hashed ones; the others would double the image
# bodies over this get 413; uploads have a limit of their own
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("REQUEST_MAX_BYTES", 1_048_576)
# bodies are spooled here while they arrive; a disk, because /tmp is memory
FILE_UPLOAD_TEMP_DIR = env.str("UPLOAD_TEMP_DIR", "") or None
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", 20 * 1_048_576)

# --- Postgres -------------------------------------------------------------------------------------------------------

# Threads (web) and greenlets (io) share a bounded pool; a process that does one thing at a time keeps one connection.
# psycopg_pool is in the images of web and the workers only.
POOLED = IS_WEB or POOL in ("gevent", "eventlet", "threads")
DB_POOL_SIZE = env.int("DB_POOL_SIZE", 10)
# how long a query waits for a connection before it fails: a client is better told 503 soon, a task waits its turn
DB_POOL_WAIT_S = 5 if IS_WEB else 300
# while Postgres is away the pool tries ever more rarely for this long, then anew for the next query; with its default
# of five minutes it goes on waiting long after Postgres is back
DB_POOL_RECONNECT_S = 2
POOL_OPTIONS = {
    "min_size": 1,
    "max_size": DB_POOL_SIZE,
    "timeout": DB_POOL_WAIT_S,
    "reconnect_timeout": DB_POOL_RECONNECT_S,
    "reconnect_failed": pool.ask_again,
}

# A connection whose other end has vanished without a word fails within ten seconds; the kernel's own patience is
# a quarter of an hour for what was sent, and for ever for what is awaited.
NOTICE_A_DEAD_PEER = {
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "warren.config.postgres" if POOLED else "django.db.backends.postgresql",
        "HOST": env.str("POSTGRES_HOST", "postgres"),
        "PORT": env.int("POSTGRES_PORT", 5432),
        "NAME": env.str("POSTGRES_DB", "warren"),
        "USER": env.str("POSTGRES_USER"),
        "PASSWORD": env.str("POSTGRES_PASSWORD"),
        "CONN_MAX_AGE": 0 if POOLED else None,
        # after a restart of Postgres every kept connection is dead, and each would cost a request or a task
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": f"warren-{SERVICE}",
            **NOTICE_A_DEAD_PEER,
            **tls.for_postgres(
                ca=env.str("POSTGRES_TLS_CA", ""),
                cert=env.str("POSTGRES_TLS_CERT", ""),
                key=env.str("POSTGRES_TLS_KEY", ""),
            ),
            **({"pool": POOL_OPTIONS} if POOLED else {}),
        },
    }
}

# throttling counts here, so that all web processes count together
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "warren_cache",
        # one row for each address that is being throttled. Over it Django throws out a third, living ones too: with its
        # 300, whoever has a few hundred addresses is never throttled. `warren.maintenance` deletes what has expired.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# --- Celery ---------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("BROKER_URL", "pyamqp://rabbitmq:5672/warren")
ON_REDIS = CELERY_BROKER_URL.partition("://")[0] in REDIS_SCHEMES
BROKER_USER = env.str("BROKER_USER", "")
BROKER_PASSWORD = env.str("BROKER_PASSWORD", "")
# of RabbitMQ alone; for Redis the address says it, rediss://…
CELERY_BROKER_USE_SSL = tls.for_broker(
    ca=env.str("BROKER_TLS_CA", ""), cert=env.str("BROKER_TLS_CERT", ""), key=env.str("BROKER_TLS_KEY", "")
)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": REDIS_VISIBILITY_TIMEOUT_S,
        # without the timeouts, whoever publishes over a dead connection waits for ever
        "socket_timeout": 15,
        "socket_connect_timeout": 5,
        # each greenlet that acks takes one; kombu's ten are too few, and a refused ack is a message that comes again
        "max_connections": 1000,
    }
    if ON_REDIS
    else {"socket_settings": SOCKET_SETTINGS}
)
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_RESULT_BACKEND = "warren.delivery.results:JobBackend"
CELERY_RESULT_EXTENDED = False
CELERY_RESULT_BACKEND_THREAD_SAFE = True  # it keeps nothing; else each greenlet makes one of its own
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]

CELERY_TASK_QUEUES = [spec.for_celery() for spec in QUEUES]
CELERY_TASK_DEFAULT_QUEUE = DEFAULT_QUEUE
CELERY_TASK_DEFAULT_EXCHANGE = ""
CELERY_TASK_DEFAULT_ROUTING_KEY = DEFAULT_QUEUE
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a typo must fail, not make a queue that nobody reads

# a message is acked when its job's outcome is stored, and comes back if the worker dies before
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TRACK_STARTED = False  # the claim does it
if POOL:
    # Workers alone have these: Celery writes its own into each message that it submits, where they would override what
    # the worker is told.
    CELERY_TASK_TIME_LIMIT = env.int("TASK_TIME_LIMIT_S", 900)
    CELERY_TASK_SOFT_TIME_LIMIT = env.int("TASK_SOFT_TIME_LIMIT_S", 840)
if POOL == "prefork":
    CELERY_WORKER_POOL = "warren.delivery.batching.pool:BatchingPool"
CELERY_WORKER_PREFETCH_MULTIPLIER = env.int("WORKER_PREFETCH_MULTIPLIER", 4)
CELERY_WORKER_MAX_TASKS_PER_CHILD = env.int("WORKER_MAX_TASKS_PER_CHILD", 10_000)
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_SOFT_SHUTDOWN_S", 20.0)
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
# RabbitMQ hands such a task's message out again at once, so its work here would be in vain; Redis does after a day
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = not ON_REDIS
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# consume through a C library, prefork only (docs/how-to/librabbitmq.md)
WORKER_LIBRABBITMQ = env.bool("WORKER_LIBRABBITMQ", False)
CELERY_WORKER_SEND_TASK_EVENTS = env.bool("WORKER_SEND_TASK_EVENTS", True)  # Flower lives on them
CELERY_DB_REUSE_MAX = None if POOLED else sys.maxsize // 4  # else Celery reconnects to Postgres for every task

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: Celery's default gives up after 100
# a queue that is missing for a moment (RabbitMQ wiped, not yet provisioned) is waited for, not died of
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# With heartbeats, Celery's green pools handle ten messages a second (docs/decisions/0003). A dead peer is
# still noticed: `delivery/silence.py`.
CELERY_BROKER_HEARTBEAT = 0

# --- Jobs -----------------------------------------------------------------------------------------------------------

JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", 30)
# Over it web refuses new jobs for the queue (`delivery/admission.py`); whoever works off what was accepted, never does.
MAX_WAITING_JOBS = env.int("MAX_WAITING_JOBS", 100_000)
WAITING_LIMITS = (
    {spec.name: MAX_WAITING_JOBS if spec.max_waiting is None else spec.max_waiting for spec in QUEUES} if IS_WEB else {}
)
RESULT_MAX_BYTES = env.int("RESULT_MAX_BYTES", 1_048_576)

CELERY_BEAT_SCHEDULER = "warren.scheduling.scheduler:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "delete-old-jobs": {"task": "celery.backend_cleanup", "schedule": crontab(hour="4", minute="0")},
    **MAINTENANCE,
    # only beat has the package that solar schedules are made with
    **(discovery.schedule() if SERVICE == "beat" else {}),
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

# Django's own tasks are jobs too (docs/how-to/django-tasks.md)
_TASKS_AS_JOBS = {
    "BACKEND": "warren.delivery.django_tasks.backend.JobTaskBackend",
    "QUEUES": [spec.name for spec in QUEUES],
}
TASKS = {"default": _TASKS_AS_JOBS, "transactional": {**_TASKS_AS_JOBS, "OPTIONS": {"transactional": True}}}

# --- API ------------------------------------------------------------------------------------------------------------

TOKEN_DAYS = env.int("TOKEN_DAYS", 365)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.tokens.ExpiringTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["warren.jobs.bodies.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "warren.jobs.api_errors.handle",
    "DEFAULT_PAGINATION_CLASS": "warren.jobs.paging.JobPagination",
    "DEFAULT_THROTTLE_RATES": {
        "register": env.str("REGISTER_RATE", "20/hour"),
        "token": env.str("TOKEN_RATE", "60/hour"),
    },
    # without it DRF believes any X-Forwarded-For, and whoever invents one is never throttled
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", 0),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Warren",
    "DESCRIPTION": "Background jobs: submit, watch, cancel.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    # fields of one name with other choices; without it the schema names them by a number
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": "warren.delivery.states.State",
        "OccurrenceStateEnum": "apps.reminders.models.Occurrence.State",
        "ReportKindEnum": "apps.reports.models.Kind",
    },
}

# Open streams (`jobs/live`): of one user, and of all, in one gunicorn process.
STREAMS_PER_USER = env.int("STREAMS_PER_USER", 50)
STREAMS_PER_PROCESS = env.int("STREAMS_PER_PROCESS", 2000)

# fetch_urls refuses addresses inside this network; tests, which have no other, let it
FETCH_ALLOW_PRIVATE = env.bool("FETCH_ALLOW_PRIVATE", False)

# --- Webhooks -------------------------------------------------------------------------------------------------------

# The first signs, and so does the second while receivers change over (docs/how-to/webhooks.md); none: nobody is called.
WEBHOOK_SECRETS = [each for each in (env.str("WEBHOOK_SECRET", ""), env.str("WEBHOOK_PREVIOUS_SECRET", "")) if each]
# host names and networks inside, which may be called though they are not public
WEBHOOK_RECEIVERS: list[str] = env.list("WEBHOOK_RECEIVERS", [])
WEBHOOK_PORTS: list[int] = env.list("WEBHOOK_PORTS", [443, 8443], subcast=int)
WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", 262_144)
# where people reach web, for links in what leaves the stack; without it they are paths
PUBLIC_URL = env.str("PUBLIC_URL", "")

# --- Mail -----------------------------------------------------------------------------------------------------------

# without a server, mail goes to the io worker's log
EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Warren <warren@example.com>")

# --- Logs and traces (docs/how-to/tracing-and-logs.md) --------------------------------------------------------------

# who speaks: the service as compose names it
OTEL_SERVICE_NAME = env.str("OTEL_SERVICE_NAME", "") or (
    f"worker-{env.str('WORKER_CLASS', 'cpu')}" if SERVICE == "worker" else SERVICE
)
# without a collector nothing of opentelemetry is imported
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "")
OTEL_EXPORTER_OTLP_HEADERS = env.str("OTEL_EXPORTER_OTLP_HEADERS", "")
OTEL_RESOURCE_ATTRIBUTES = env.str("OTEL_RESOURCE_ATTRIBUTES", "")
OTEL_TRACES_SAMPLER_ARG = env.float("OTEL_TRACES_SAMPLER_ARG", 1.0, validate=validate.Range(min=0, max=1))

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOG_FORMAT = env.str("LOG_FORMAT", "", validate=validate.OneOf(("", *lines.STYLES))) or lines.style(debug=DEBUG)
LOGGING_CONFIG = "warren.telemetry.logs.configure"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"delay_advice": {"()": "warren.config.logs.NoDelayAdvice"}},
    "formatters": {
        "line": {
            "()": "warren.telemetry.lines.Lines",
            "style": LOG_FORMAT,
            "service": OTEL_SERVICE_NAME,
            "fields": "ext://warren.telemetry.fields.current",
        }
    },
    "handlers": {"stderr": {"class": "warren.delivery.batching.log_lines.Handler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        "celery.app.base": {"filters": ["delay_advice"]},
        "httpx": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # "received": that a job is with a worker stands in its row; a tenth of what a short job costs
        "celery.worker.strategy": {"level": "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL},
    },
}

# --- Metrics --------------------------------------------------------------------------------------------------------

# where each process answers Prometheus, on the internal network alone; 0 is nowhere
METRICS_PORT = env.int("METRICS_PORT", 9464)

# where heartbeats are shown; a memory file system in every container
HEARTBEAT_DIR = Path(env.str("HEARTBEAT_DIR", "/run/warren"))
SESSION_COOKIE_AGE = int(timedelta(days=7).total_seconds())
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"

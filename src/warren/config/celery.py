"""The Celery app: `celery -A warren.config worker`."""

from typing import Any
from urllib.parse import quote

from celery import Celery, concurrency
from celery.signals import setup_logging
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver

from warren.config.queues import QUEUES
from warren.delivery import broker_addresses, librabbitmq_choice, wire
from warren.delivery.app import JobApp
from warren.health.heartbeat import Heartbeat
from warren.scheduling.signals import ticked
from warren.telemetry import worker_processes


class WarrenCelery(JobApp):
    """Celery, with names for tasks that stay short and do not tell where the code lies."""

    registry_cls = "warren.delivery.django_tasks.importing:ImportingRegistry"

    def gen_task_name(self, name: str, module: str) -> str:
        """`apps.arithmetic.tasks` and `add` make `arithmetic.add`."""
        generated: str = super().gen_task_name(name, module.removeprefix("apps.").removesuffix(".tasks"))
        return generated


def make_app() -> Celery:
    """The app with Warren's seams: outbox for a sender, the job table for results, the claim around every task."""
    made = WarrenCelery(
        "warren",
        amqp="warren.delivery.amqp:OutboxAMQP",
        task_cls="warren.delivery.task:JobTask",
    )
    made.config_from_object("django.conf:settings", namespace="CELERY")
    worker_processes.trace()
    address = with_login(settings.CELERY_BROKER_URL, user=settings.BROKER_USER, password=settings.BROKER_PASSWORD)
    # the other two as well: Celery's command line puts BROKER_URL as it is, without a login, over the first
    made.conf["broker_url"] = made.conf["broker_read_url"] = made.conf["broker_write_url"] = address
    wire.use()
    if settings.POOL and settings.WORKER_LIBRABBITMQ:
        librabbitmq_choice.use_for_consuming(made, pool=settings.POOL)
    librabbitmq_choice.refuse_accidents(made)
    # not by setting: Celery patches what a green pool needs only if `--pool` names it
    concurrency.ALIASES |= {  # type: ignore[attr-defined]  # celery-types leaves it out
        "gevent": "warren.delivery.batching.gevent:GeventPool",
        "eventlet": "warren.delivery.batching.eventlet:EventletPool",
    }
    made.conf["worker_consumer"] = "warren.health.pulse:Consumer"
    # by name, because only workers need to import them
    made.steps["worker"] |= {
        "warren.config.garbage_step:GarbageStep",
        "warren.delivery.lease_step:LeaseStep",
        "warren.health.overdue:OverdueStep",
        "warren.health.pulse:PulseStep",
        "warren.health.shutdown:ShutdownStep",
        "warren.metrics.worker:MetricsStep",
    }
    made.steps["consumer"] |= {
        "warren.health.event_buffer:EventBufferStep",
        "warren.health.readiness:ReadinessStep",
        "warren.delivery.batching.window_step:WindowStep",
        "warren.delivery.wire_step:WireStep",
    }
    return made


def with_login(url: str, *, user: str, password: str) -> str:
    """The broker URL with the login that comes from a secret file, in each of its addresses."""
    if any(address.startswith("amqp://") for address in broker_addresses.split(url)):
        raise ImproperlyConfigured(
            f"BROKER_URL={url!r}: write pyamqp://, because amqp:// means librabbitmq wherever that is installed"
        )
    if not user:
        return url
    return broker_addresses.with_login(url, login=f"{quote(user, safe='')}:{quote(password, safe='')}")


def load_tasks(celery_app: Celery[Any]) -> None:
    """Import every app's tasks. A broken module, or a task that names a queue nobody declared, stops the start."""
    celery_app.autodiscover_tasks(force=True)
    known = {spec.name for spec in QUEUES}
    for task in celery_app.tasks.values():
        queue = getattr(task, "queue", None)
        if queue is not None and queue not in known:
            raise ImproperlyConfigured(
                f"task {task.name} names queue {queue!r}; config/queues.py declares {', '.join(sorted(known))}"
            )


@receiver(ticked)
def _show_beat(**_kwargs: object) -> None:
    """Beat's heartbeat: the scheduler knows nothing of health, so the two meet here."""
    Heartbeat("beat").show_alive()


@setup_logging.connect
def _keep_django_logging(**_kwargs: object) -> None:
    """Celery would install handlers of its own; Django's LOGGING stands."""


app = make_app()

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warren.scheduling.scheduler import Scheduler
from warren.telemetry.conftest import Ended, is_child, recording

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ended() -> Iterator[Ended]:
    with recording() as stop:
        yield stop


def test_each_tick_begins_a_trace(scheduler: Scheduler, ended: Ended) -> None:
    every = IntervalSchedule.objects.create(every=1, period="hours")
    for name in ("one", "two"):
        PeriodicTask.objects.create(
            name=name, task="celery.backend_cleanup", interval=every, last_run_at=timezone.now() - timedelta(hours=2)
        )

    for _ in range(4):
        scheduler.tick()

    spans = ended()
    assert {span.name for span in spans if span.parent is None} == {"tick one", "tick two"}
    assert len(spans.traces) == 2
    for tick in spans.named("tick"):
        assert [is_child(span, tick) for span in spans.named("create cpu")].count(True) == 1
        assert any(is_child(span, tick) for span in spans.named("INSERT warren_job"))

"""The benchmark's work as Celery tasks."""

from celery import shared_task

from benchmarks.setups.shared import jobs

echo = shared_task(name="echo")(jobs.echo)
wait = shared_task(name="wait")(jobs.wait)
spin = shared_task(name="spin")(jobs.spin)

"""Django's own Tasks (`django.tasks`) over Warren's jobs: `@task` and `.enqueue()` with the promise of every other job.

A Django task is also a Celery task, named for its function's path (`registry.py`). Enqueuing it is a publish like any
other, so it passes the outbox; it runs on Warren's task class, so it is claimed, fenced and stored like any other.
"""

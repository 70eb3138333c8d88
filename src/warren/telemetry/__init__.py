"""What a process tells of its work: lines of log and traces, and the ids that hold them together.

The lowest layer: everything may use it, and it knows nothing of jobs but what a Celery request tells.
"""

"""Which pools the workers are given; tests that share one of these share one recreation of both workers."""

PREFORK_AND_GEVENT: dict[str, str] = {}  # as .env.example has it
THREADS_AND_EVENTLET = {
    "WORKER_CPU_POOL": "threads",
    "WORKER_IO_POOL": "eventlet",
    "FETCH_ALLOW_PRIVATE": "true",  # for test_fetching
}
SOLO_AND_THREADS = {"WORKER_CPU_POOL": "solo", "WORKER_IO_POOL": "threads"}

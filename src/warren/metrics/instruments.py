"""What every process that handles jobs counts. Metrics of one kind of process stand beside its code.

In web and in a prefork worker, several processes count in files, one for each, which `/metrics` adds up
(`PROMETHEUS_MULTIPROC_DIR`, set by their start scripts); elsewhere they count in memory.
"""

from prometheus_client import Counter, Histogram, disable_created_metrics

# a series beside each, of the time when it began: nobody asks for it
disable_created_metrics()

# From a no-op to a task at its hard time limit. Each bucket is a series for every task.
RUN_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 900.0)
# A job that waits for a minute is a nuisance, and one that waits for an hour an outage.
WAIT_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

JOBS = Counter("warren_jobs", "Jobs that came into this state.", ["task", "queue", "state"])
ATTEMPTS = Counter("warren_job_attempts", "Attempts that began: claims that a worker won.", ["task", "queue"])
LOST = Counter("warren_job_attempts_lost", "Attempts that ended with their worker.", ["queue"])
SENT_AGAIN = Counter("warren_jobs_sent_again", "Jobs put back into the outbox: lost, handed back or retried by hand.")
WAIT = Histogram(
    "warren_job_wait_seconds",
    "From the moment a job was due to the start of an attempt, by Postgres' clock.",
    ["queue"],
    buckets=WAIT_BUCKETS_S,
)
RUN = Histogram(
    "warren_job_run_seconds",
    "How long the body of a task ran, however it ended.",
    ["task", "queue"],
    buckets=RUN_BUCKETS_S,
)

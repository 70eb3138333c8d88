"""What the stack was at when a test failed, for who reads the failure."""

from tests.stack import postgres, rabbitmq
from tests.stack.stack import CommandFailedError, Stack

LOG_LINES = "60"
_OPEN_JOBS = """
SELECT job.id, task, job.state, job.attempt, losses, job.worker, available_at, queued_at, job.started_at,
       EXISTS (SELECT FROM warren_outbox WHERE job_id = job.id),
       (SELECT string_agg(event.kind || ' ' || event.at, ', ' ORDER BY event.id)
        FROM warren_job_event AS event WHERE event.job_id = job.id)
FROM warren_job AS job WHERE job.finished_at IS NULL ORDER BY created_at LIMIT 30
"""


def of(stack: Stack) -> str:
    """Jobs that are not final, messages in the queues, and the end of the logs of those that move them."""
    told = [stack.describe_unwell(), ""]
    try:
        told += ["open jobs:", *(" | ".join(row) for row in postgres.ask(stack, _OPEN_JOBS)), ""]
        told += [
            f"queue {each['name']}: {each.get('messages')} messages, {each.get('messages_unacknowledged')} unacked"
            for each in rabbitmq.ask(stack, "queues/warren")
        ]
    except (CommandFailedError, OSError, ValueError) as exc:
        told.append(f"not known: {exc}")
    for service in ("relay", "worker-cpu", "worker-io"):
        told += ["", f"the end of {service}'s log:", stack.logs(service, tail=LOG_LINES)]
    return "\n".join(told)

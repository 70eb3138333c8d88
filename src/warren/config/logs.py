"""What is left out of the logs."""

import logging


class NoDelayAdvice(logging.Filter):
    """Drops Celery's warning that delays on quorum queues want topic exchanges: here delays wait in the outbox."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for that warning."""
        return "native delayed delivery" not in str(record.msg)

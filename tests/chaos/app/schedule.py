"""A tick every two seconds, through every fault."""

from datetime import timedelta

SCHEDULE = {"ledger-tick": {"task": "ledger.io.tick", "schedule": timedelta(seconds=2)}}

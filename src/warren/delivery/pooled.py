"""The Postgres connections that the threads or greenlets of a process share (`DB_POOL_SIZE`).

Whoever waits for others must hold none: they may need it to get ready. If all who hold one wait, nobody ever is.
"""

from django.conf import settings
from django.db import connection


def give_back() -> bool:
    """Hand the connection back, and the next query takes one again; False where it is kept.

    Kept are one of a transaction, and that of a process which does one thing at a time and so has its own.
    """
    if not settings.POOLED or connection.in_atomic_block:
        return False
    connection.close()
    return True

"""Django's engine, but for the pool's check of a connection before it is given to somebody, and for who is killed."""

from functools import partial
from typing import Any

import psycopg_pool.pool
from django.db.backends.postgresql import base

from warren.config import pool as config_pool

# What ends a greenlet (a time limit, a cancel) is no `Exception`. One that ends while it waits for a connection would
# still be given one later, which is then lost for ever; ten of these, and the worker stands still.
psycopg_pool.pool.CLIENT_EXCEPTIONS = BaseException  # type: ignore[assignment]  # typed as what it is at first


class DatabaseWrapper(base.DatabaseWrapper):
    """Named by ENGINE; Django finds it by its name."""

    @property
    def pool(self) -> Any:
        """The process's pool, as Django makes it."""
        made: Any = super().pool
        if made is not None:
            # Django names psycopg's own check, and takes no other from OPTIONS
            made._check = partial(config_pool.check, made)  # noqa: SLF001
        return made

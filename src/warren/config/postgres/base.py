"""Django's engine, but for the pool's check of a connection before it is given to somebody."""

from functools import partial
from typing import Any

from django.db.backends.postgresql import base

from warren.config import pool as config_pool


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

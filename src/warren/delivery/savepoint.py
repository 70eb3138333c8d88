"""A step that may fail alone, in a transaction that is shared by many.

it raises                            undone; the rest goes on
it fails in Postgres and is quiet    undone too: Postgres takes nothing more before that, and Django would undo
                                     more than the step without a word
Postgres goes away in it             raised: nothing of the transaction is left
"""

import logging
from collections.abc import Callable

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

log = logging.getLogger(__name__)


def attempt(step: Callable[[], object], *, what: str) -> Exception | None:
    """Do the step in a savepoint; if it fails it is undone, logged as `what`, and its error returned.

    Raises the error when the transaction around it cannot go on. Outside of one the step is a transaction of its own.
    """
    try:
        with transaction.atomic():
            step()
            _fail_if_broken(what)
    except Exception as exc:
        if connection.in_atomic_block and connection.needs_rollback:
            raise
        log.exception("%s failed", what)
        return exc
    return None


def _fail_if_broken(what: str) -> None:
    if connection.needs_rollback:
        raise TransactionManagementError(f"{what} has broken its transaction without an error")

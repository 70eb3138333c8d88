from collections.abc import Callable

import pytest
from django.db import InternalError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from warren.delivery.models import Job
from warren.delivery.savepoint import attempt

pytestmark = pytest.mark.django_db(transaction=True)


def _make_a_job() -> None:
    Job.objects.create(pk="undone", task="t", queue="cpu")


def _abort_quietly() -> None:
    _make_a_job()
    with pytest.raises(Exception, match="division by zero"):
        _execute("SELECT 1 / 0")


def _lose_postgres() -> None:
    _execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_it_undoes_the_step_alone_when_that_aborts_the_transaction_quietly() -> None:
    with transaction.atomic():
        Job.objects.create(pk="kept", task="t", queue="cpu")
        error = attempt(_abort_quietly, what="a step")

    assert isinstance(error, InternalError)
    assert Job.objects.get().pk == "kept"


@pytest.mark.parametrize(
    ("step", "error"), [(_lose_postgres, OperationalError), (connection.close, TransactionManagementError)]
)
def test_it_raises_when_the_transaction_around_it_is_lost(step: Callable[[], None], error: type[Exception]) -> None:
    with pytest.raises(error), transaction.atomic():
        attempt(step, what="a step")


def test_it_returns_the_error_when_no_transaction_is_around_it() -> None:
    assert isinstance(attempt(_lose_postgres, what="a step"), OperationalError)
    assert not Job.objects.exists()

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from warren.delivery import prepared
from warren.delivery.models import BrokerMark

pytestmark = pytest.mark.django_db


def _double(number: int) -> int:
    with prepared.cursor() as cursor:
        cursor.execute("SELECT 2 * %(number)s::int AS doubled", {"number": number})
        return int(cursor.fetchone()[0])


def _prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%AS doubled'")
        return int(cursor.fetchone()[0])


def test_it_is_planned_once_when_a_statement_is_used_often() -> None:
    answers = [_double(number) for number in range(10)]

    assert answers == [2 * number for number in range(10)]
    assert _prepared() == 1


def test_it_prepares_nothing_when_a_statement_is_used_once() -> None:
    _double(1)

    assert _prepared() == 0


def test_it_shares_the_transaction_and_raises_django_s_errors() -> None:
    def insert_twice() -> None:
        with transaction.atomic():
            BrokerMark.objects.create(id=1, name="one")
            with prepared.cursor() as cursor:
                cursor.execute("INSERT INTO warren_broker (id, name) VALUES (%s, %s)", [1, "two"])

    with pytest.raises(IntegrityError):
        insert_twice()

    assert not BrokerMark.objects.exists()


def test_it_leaves_all_other_statements_as_they_were() -> None:
    _double(1)
    for _ in range(10):
        BrokerMark.objects.filter(name="none").exists()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%warren_broker%%'")
        assert cursor.fetchone() == (0,)


def test_it_is_seen_in_django_s_log_of_queries_when_it_is_prepared() -> None:
    with CaptureQueriesContext(connection) as captured:
        for number in range(5):
            _double(number)

    assert [query["sql"].count("AS doubled") for query in captured.captured_queries] == [1] * 5

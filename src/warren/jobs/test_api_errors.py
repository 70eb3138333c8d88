"""One shape for every error, and Postgres being away."""

from typing import Any

import psycopg
import pytest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from rest_framework import exceptions
from rest_framework.test import APIClient

from warren.jobs import api_errors, visible


def _handle(exc: Exception) -> Any:
    return api_errors.handle(exc, {})


@pytest.mark.parametrize(
    "exc",
    [OperationalError("gone"), InterfaceError("closed"), psycopg.OperationalError("gone"), psycopg.InterfaceError("x")],
)
def test_it_asks_to_come_back_when_postgres_is_away(exc: Exception) -> None:
    answer = _handle(exc)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Postgres" in answer.data["detail"]


@pytest.mark.django_db
def test_it_does_so_for_a_request(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(visible, "jobs_for", away)

    answer = api.get("/api/jobs/")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (RequestDataTooBig(), 413),
        (TooManyFieldsSent("too many"), 400),
        (RecursionError(), 400),
        (exceptions.NotFound(), 404),
        (exceptions.ValidationError("no"), 400),
    ],
)
def test_it_answers_in_one_shape(exc: Exception, status: int) -> None:
    answer = _handle(exc)

    assert answer.status_code == status
    assert set(answer.data) == {"detail", "errors"}
    assert answer.data["detail"]


def test_it_names_nested_fields_by_their_path() -> None:
    answer = _handle(exceptions.ValidationError({"a": {"b": ["no"], "c": {"0": ["x", "y"]}}, "d": ["z"]}))

    assert answer.data["errors"] == {"a.b": ["no"], "a.c.0": ["x", "y"], "d": ["z"]}


def test_it_names_what_belongs_to_no_field() -> None:
    assert _handle(exceptions.ValidationError(["no"])).data["errors"] == {"non_field_errors": ["no"]}


def test_it_leaves_defects_to_django() -> None:
    assert _handle(ZeroDivisionError()) is None

"""A browser that is logged in, and tasks to try."""

from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.test import Client
from pytest_django import Settings
from rest_framework import serializers

from warren.jobs import conftest as jobs
from warren.jobs.fields import NumberField, TextField

user, stranger, staff, make_job = jobs.user, jobs.stranger, jobs.staff, jobs.make_job


class EverythingArguments(serializers.Serializer[Any]):
    """An argument of each kind."""

    number = NumberField(min_value=0, max_value=10, help_text="A small one.")
    names = serializers.ListField(child=TextField(max_length=5), max_length=3)
    colour = serializers.ChoiceField(choices=["red", "blue"])
    moment = serializers.DateTimeField()
    note = TextField(max_length=50, required=False)
    loud = serializers.BooleanField(required=False)
    extra = serializers.DictField(required=False)


@shared_task(name="try_it.everything", queue="cpu", arguments=EverythingArguments)  # type: ignore[call-overload, untyped-decorator]  # arguments= is ours
def everything(**arguments: Any) -> list[str]:
    """Take an argument of each kind.

    And nothing more.
    """
    return sorted(arguments)


@pytest.fixture(autouse=True)
def _site(plain_site: None, settings: Settings, tmp_path: Path) -> None:  # noqa: ARG001  it is there first
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def browser(client: Client, user: Any) -> Client:
    client.force_login(user)
    return client

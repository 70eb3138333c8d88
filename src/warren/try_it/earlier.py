"""What an earlier job was called with, as a form shows it: to change what was wrong, and run it again."""

import json
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from warren.delivery.models import Job
from warren.jobs.callable_tasks import Argument


def typed(arguments: Iterable[Argument], *, job: Job) -> dict[str, Any]:
    """By field, as `inputs.typed` gives it; what the job was called with by position has the names of the fields."""
    declared = list(arguments)
    called_with = dict(zip((each.name for each in declared), job.args, strict=False)) | job.kwargs
    given = [each for each in declared if called_with.get(each.name) is not None]
    return {each.name: _typed(each.type, called_with[each.name]) for each in given}


def _typed(type_: str, value: Any) -> Any:
    if type_ == "date and time" and isinstance(value, str):
        return _local(value)
    if isinstance(value, bool | str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) and each.strip() == each for each in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False)


def _local(text: str) -> str:
    """A browser's field knows no time zone, and stays empty when it is given one."""
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        return text
    return timezone.localtime(moment).replace(tzinfo=None).isoformat(timespec="seconds")

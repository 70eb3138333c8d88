"""Makes what a task returned fit for an HTTP answer.

Celery's JSON is wider than JSON: Python writes NaN and infinities, and kombu marks dates, decimals and UUIDs. An answer
must be strict JSON that any client reads.
"""

import math
from datetime import date, time
from typing import Any

from kombu.utils import json


def loads(text: str | None) -> Any:
    """The value behind Celery's JSON text, fit for an answer; None for None."""
    return None if text is None else plain(json.loads(text))


def plain(value: Any) -> Any:
    """The value in strict JSON's types: what JSON cannot say (NaN, dates, bytes, halves of surrogate pairs) as text."""
    if isinstance(value, dict):
        return {_text(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case bytes():
            return value.decode(errors="replace")
        case date() | time():
            return value.isoformat()
    return str(value).encode(errors="replace").decode()

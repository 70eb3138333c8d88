"""Fields that take a JSON type as it is: DRF's own also take "5" for 5, "nan" for a number and 5 for a text."""

import math
from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field(OpenApiTypes.NUMBER)
class NumberField(serializers.Field[float, Any, float, Any]):
    """A finite JSON number between two bounds. An integer stays one, so that sums of integers are exact."""

    type_name = "number"
    default_error_messages = {  # noqa: RUF012  DRF's own way to declare them
        "type": "{value!r} is not a number.",
        "bounds": "{value!r} is out of bounds; it must be between {low!r} and {high!r}.",
    }

    def __init__(self, *, min_value: float, max_value: float, **options: Any) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = min_value, max_value

    def to_internal_value(self, data: Any) -> float:
        """The number itself."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.isfinite(data):
            self.fail("type", value=data)
        if not self.min_value <= data <= self.max_value:
            self.fail("bounds", value=data, low=self.min_value, high=self.max_value)
        return data

    def to_representation(self, value: float) -> float:
        """The number itself."""
        return value


class TextField(serializers.CharField):
    """A JSON string."""

    def to_internal_value(self, data: Any) -> str:
        """The string; a number is refused."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """An ISO 8601 date and time, naive if the caller gave no offset: whether that will do is not a matter of form."""

    def enforce_timezone(self, value: datetime) -> datetime:
        """Leave it as it came."""
        return value


@extend_schema_field({"oneOf": [{"type": "number", "minimum": 0}, {"type": "string", "format": "date-time"}]})
class ExpiryField(serializers.Field[Any, Any, Any, Any]):
    """Seconds from now, or a moment."""

    def __init__(self, *, longest_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = NumberField(min_value=0.001, max_value=longest_s)
        self._moment = MomentField()

    def to_internal_value(self, data: Any) -> float | datetime:
        """A number of seconds, or a datetime."""
        form = self._moment if isinstance(data, str) else self._seconds
        moment_or_seconds: float | datetime = form.run_validation(data)
        return moment_or_seconds

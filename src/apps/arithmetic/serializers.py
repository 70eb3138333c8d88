"""What may be passed to the task from outside."""

from typing import Any

from rest_framework import serializers

from warren.jobs.fields import NumberField

# up to here every whole number is exact, also in clients whose only numbers are floats
LARGEST = 10**15


class ArithmeticArguments(serializers.Serializer[Any]):
    """Two numbers."""

    num1 = NumberField(min_value=-LARGEST, max_value=LARGEST)
    num2 = NumberField(min_value=-LARGEST, max_value=LARGEST)

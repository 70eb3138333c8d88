"""Work that burns a core goes to the queue cpu; work that waits for others goes to io."""

from celery import shared_task

from apps.arithmetic.serializers import ArithmeticArguments


@shared_task(queue="cpu", arguments=ArithmeticArguments)  # type: ignore[call-overload, untyped-decorator]  # arguments= is ours
def add(num1: float, num2: float) -> float:
    """Add two numbers."""
    return num1 + num2


@shared_task(queue="cpu", arguments=ArithmeticArguments)  # type: ignore[call-overload, untyped-decorator]  # arguments= is ours
def divide(num1: float, num2: float) -> float:
    """Divide the first number by the second. Raises `ZeroDivisionError`: to see how a job fails."""
    return num1 / num2

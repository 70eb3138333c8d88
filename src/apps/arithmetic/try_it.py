"""How adding is tried in the browser."""

from warren.try_it.trials import Trial, register

register(
    Trial(
        task="arithmetic.add",
        title="Add two numbers",
        summary="A worker process on the queue cpu adds them.",
        button="Add them",
        initial=lambda _now: {"num1": "2", "num2": "3"},
        order=10,
    )
)

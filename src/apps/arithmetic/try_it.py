"""How adding and dividing are tried in the browser."""

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
register(
    Trial(
        task="arithmetic.divide",
        title="See a job fail",
        summary="By zero nobody can divide. Look why it failed, then change the second number and run it again.",
        button="Divide them",
        initial=lambda _now: {"num1": "1", "num2": "0"},
        order=50,
    )
)

"""Which states a job came through between two looks at its row: Postgres tells of each, the row has the last."""

from collections.abc import Sequence

from warren.delivery.states import State


def states(told: Sequence[State], *, before: State | None, now: State) -> list[State]:
    """Those between the state that was seen last and the present one, of what was told since, in order."""
    news = told[told.index(before) + 1 :] if before in told else told
    passed: list[State] = []
    for state in news:
        if state != (passed[-1] if passed else before):
            passed.append(state)
    return passed[:-1] if passed and passed[-1] == now else passed

"""What the pool hands out to whom; that children run it is the integration tests' matter."""

from typing import Any

import pytest
from billiard.exceptions import Terminated, WorkerLostError

from warren.delivery.batching.order import Order
from warren.delivery.batching.pace import BATCH_S
from warren.delivery.batching.pool import BatchingPool
from warren.delivery.batching.trip import error_info, run_batch
from warren.delivery.batching.window import Window


class Sent:
    """What billiard's pool was given; it is done when the test says so."""

    def __init__(self, children: "Children", function: Any, args: Any, options: dict[str, Any]) -> None:
        self._children, self.function, self.args, self.options = children, function, args, options
        self._job = id(self)
        children._cache[self._job] = self

    @property
    def names(self) -> list[str]:
        jobs = self.args[1] if self.function is run_batch else [self.args]
        return [job[1] for job in jobs]

    def ready(self) -> bool:
        return False

    def end(self, callback: str, value: Any) -> None:
        del self._children._cache[self._job]
        self.options[callback](value)


class Children:
    """In place of billiard's pool with two processes."""

    _processes = 2

    def __init__(self) -> None:
        self._cache: dict[int, Sent] = {}
        self.sent: list[Sent] = []

    def apply_async(self, function: Any, args: Any, _kwargs: Any, **options: Any) -> Sent:
        self.sent.append(Sent(self, function, args, options))
        return self.sent[-1]

    def flush(self) -> None:
        self._cache.clear()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    made = Children()
    monkeypatch.setattr("celery.concurrency.prefork.TaskPool.on_start", lambda self: setattr(self, "_pool", made))
    return made


@pytest.fixture
def pool(children: Children) -> BatchingPool:  # noqa: ARG001  it must be there before the pool starts
    made = BatchingPool(2)
    made.on_start()
    return made


@pytest.fixture
def told() -> list[tuple[str, str, Any]]:
    return []


def _submit(pool: BatchingPool, told: list[Any], name: str, *, task: str = "short", redelivered: bool = False) -> Order:
    def callback(kind: str) -> Any:
        return lambda *values: told.append((name, kind, *values))

    request = {"delivery_info": {"redelivered": redelivered}}
    kinds = ("accept_callback", "timeout_callback", "callback", "error_callback")
    return pool.apply_async(
        print, (task, name, request, "", "", ""), {}, timeout=None, **{kind: callback(kind) for kind in kinds}
    )


def test_it_hands_a_job_to_a_free_child_at_once_and_alone(pool: BatchingPool, children: Children) -> None:
    for name in ("a", "b", "c"):
        _submit(pool, [], name)

    assert [sent.names for sent in children.sent] == [["a"], ["b"]]


def test_it_tells_how_many_children_are_busy_however_many_jobs_they_have(
    pool: BatchingPool, children: Children, told: list[Any]
) -> None:
    assert (pool.places, pool.busy) == (2, 0)
    for name in "abcdef":
        _submit(pool, told, name)
    children.sent[0].end("callback", (0, "1", 0.001))

    assert (pool.places, pool.busy) == (2, 2)
    pool.flush()
    assert pool.busy == 0


def test_it_shares_out_what_waits_when_a_child_is_free_again(
    pool: BatchingPool, children: Children, told: list[Any]
) -> None:
    for name in "abcdef":
        _submit(pool, told, name)

    children.sent[0].end("callback", (0, "1", 0.001))

    assert children.sent[2].names == ["c", "d"]
    children.sent[2].options["accept_callback"](99, 1.5)
    children.sent[2].end("callback", [(True, (0, "c", 0.001)), (False, "broken")])
    assert told == [
        ("a", "callback", (0, "1", 0.001)),
        ("c", "accept_callback", 99, 1.5),
        ("d", "accept_callback", 99, 1.5),
        ("c", "callback", (0, "c", 0.001)),
        ("d", "error_callback", "broken"),
    ]
    assert children.sent[3].names == ["e"]


@pytest.mark.parametrize("runtime_s", [BATCH_S, 60.0])
def test_it_sends_jobs_alone_when_they_take_long(pool: BatchingPool, children: Children, runtime_s: float) -> None:
    for name in "abcdef":
        _submit(pool, [], name)

    children.sent[0].end("callback", (0, "1", runtime_s))

    assert children.sent[2].names == ["c"]


def test_it_sends_a_job_alone_when_its_message_came_back(pool: BatchingPool, children: Children) -> None:
    for name in "abcdefgh":
        _submit(pool, [], name, redelivered=name == "d")

    children.sent[0].end("callback", (0, "1", 0.001))
    children.sent[1].end("callback", (0, "1", 0.001))

    assert [sent.names for sent in children.sent[2:]] == [["c"], ["d"]]


def test_it_gives_all_of_a_batch_back_when_its_child_is_lost(
    pool: BatchingPool, children: Children, told: list[Any]
) -> None:
    orders = [_submit(pool, told, name) for name in "abcdef"]
    children.sent[0].end("callback", (0, "1", 0.001))
    told.clear()

    orders[2].terminate(15)
    children.sent[2].end("error_callback", error_info(Terminated(-15)))

    (first, _, own), (second, _, others) = told
    assert (first, second) == ("c", "d")
    assert isinstance(own.exception.exc, Terminated)
    assert isinstance(others.exception.exc, WorkerLostError)


def test_it_goes_on_when_the_connection_was_lost_under_its_jobs(pool: BatchingPool, children: Children) -> None:
    for name in "abcd":
        _submit(pool, [], name)

    pool.flush()
    for name in ("e", "f", "g"):
        _submit(pool, [], name)

    assert [sent.names for sent in children.sent] == [["a"], ["b"], ["e"], ["f"]]


def test_it_gives_back_what_has_waited_too_long_beyond_the_narrow_window(
    pool: BatchingPool, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    pool.window, pool.on_window = Window(narrow=2, children=2), sizes.append
    for name in "abcdef":
        _submit(pool, told, name)

    pool.give_back_surplus()
    assert told == []
    monkeypatch.setattr("warren.delivery.batching.ahead.SURPLUS_AFTER_S", 0)
    pool.give_back_surplus()

    assert [(name, kind, error.exception.exc.requeue) for name, kind, error in told] == [
        ("e", "error_callback", True),
        ("f", "error_callback", True),
    ]
    assert sizes == [2]


def test_it_gives_a_message_back_once_and_keeps_it_then(
    pool: BatchingPool, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quorum queue counts how often a message came back, and gives up on it at the sixth."""
    pool.window, pool.on_window = Window(narrow=2, children=2), print
    monkeypatch.setattr("warren.delivery.batching.ahead.SURPLUS_AFTER_S", 0)
    for name in "abcdef":
        _submit(pool, told, name, redelivered=name == "e")

    pool.give_back_surplus()
    pool.give_back_surplus()

    assert [name for name, _, _ in told] == ["f"]


def test_it_opens_the_window_when_jobs_are_short(pool: BatchingPool, children: Children) -> None:
    sizes: list[int] = []
    pool.window, pool.on_window = Window(narrow=4, children=2), sizes.append
    for name in range(200):
        _submit(pool, [], str(name))

    for place in range(8):
        children.sent[place].end("callback", *_done(children.sent[place]))

    assert sizes[-1] > 4
    assert sizes == sorted(sizes)


def _done(sent: Sent) -> list[Any]:
    one = (0, "1", 0.004)
    return [[(True, one) for _ in sent.names] if sent.function is run_batch else one]

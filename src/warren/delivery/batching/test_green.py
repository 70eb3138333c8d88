"""Who has a place in a pool of greenlets. gevent's runs here; eventlet's is the integration tests' matter."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from celery.exceptions import Reject
from gevent.event import Event

from warren.delivery import places
from warren.delivery.batching.gevent import GeventPool
from warren.delivery.batching.margin import Margin
from warren.delivery.batching.order import Order

PLACES = 2
SOON_S = 10.0


class Body:
    """A job's body, then its finish; each goes on when the test lets it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "waits"
        self.may_end, self.may_finish = Event(), Event()
        self.told: list[tuple[str, Any]] = []
        self.pid = 0

    def __call__(self, *_args: Any) -> tuple[int, str, float]:
        self.state = "runs"
        assert self.may_end.wait(SOON_S)
        places.leave()
        self.state = "finishes"
        assert self.may_finish.wait(SOON_S)
        return 0, self.name, 0.01

    def accept(self, pid: int, _accepted_at: float) -> None:
        self.pid = pid

    def tell(self, kind: str) -> Callable[..., None]:
        return lambda *values: self.told.append((kind, *values[:1]))


@pytest.fixture
def pool() -> Iterator[GeventPool]:
    made = GeventPool(PLACES)
    made.start()
    yield made
    made.flush()
    made._pool.kill()
    places.current = None


def _submit(pool: GeventPool, body: Body, **options: Any) -> Order:
    own = {
        "accept_callback": body.accept,
        "callback": body.tell("callback"),
        "error_callback": body.tell("error_callback"),
        "timeout_callback": body.tell("timeout_callback"),
    }
    request = {"delivery_info": {"redelivered": False}}
    return pool.apply_async(body, ("task", body.name, request, "", "", ""), {}, **own | options)


def _submit_all(pool: GeventPool, names: str) -> list[Body]:
    bodies = [Body(name) for name in names]
    for body in bodies:
        _submit(pool, body)
    _turn()
    return bodies


def _states(bodies: list[Body]) -> list[str]:
    return [body.state for body in bodies]


def _turn() -> None:
    """Let every greenlet do what it can."""
    for _ in range(5):
        gevent.sleep(0)


def _all_places_are_free(pool: GeventPool) -> bool:
    return _states(_submit_all(pool, "xyz")) == ["runs"] * PLACES + ["waits"]


def test_it_tells_how_many_places_are_taken(pool: GeventPool) -> None:
    assert (pool.places, pool.busy) == (PLACES, 0)

    bodies = _submit_all(pool, "abc")

    assert pool.busy == PLACES
    for body in bodies:
        body.may_end.set()
    _turn()
    assert pool.busy == 0


def test_all_its_tasks_may_look_up_names_at_once_and_the_worker_too() -> None:
    pool = GeventPool(10 * PLACES)
    pool.start()

    assert gevent.get_hub().threadpool.maxsize > 10 * PLACES

    places.current = None


def test_no_more_bodies_run_than_there_are_places_and_the_others_wait_in_order(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcd")
    assert _states(bodies) == ["runs", "runs", "waits", "waits"]

    bodies[1].may_end.set()
    bodies[1].may_finish.set()
    _turn()

    assert _states(bodies) == ["runs", "finishes", "runs", "waits"]
    assert bodies[1].told == [("callback", (0, "b", 0.01))]


def test_the_next_body_begins_while_an_outcome_is_stored(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcd")

    bodies[0].may_end.set()
    _turn()

    assert _states(bodies) == ["finishes", "runs", "runs", "waits"]
    assert bodies[0].told == []


def test_a_place_is_given_back_once(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcdef")

    for body in bodies[:2]:
        body.may_end.set()
        _turn()
        body.may_finish.set()
        _turn()

    assert _states(bodies[2:]) == ["runs", "runs", "waits", "waits"]


def test_whoever_has_no_place_gives_none_back(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abc")

    places.leave()
    _turn()

    assert _states(bodies) == ["runs", "runs", "waits"]


def _kill_in_its_body(pool: GeventPool) -> None:
    (body,) = _submit_all(pool, "a")
    pool.terminate_job(body.pid)


def _kill_as_it_finishes(pool: GeventPool) -> None:
    (body,) = _submit_all(pool, "a")
    body.may_end.set()
    _turn()
    pool.terminate_job(body.pid)


def _kill_before_it_begins(pool: GeventPool) -> None:
    _submit(pool, Body("a"))
    for greenlet in list(pool._pool):
        gevent.kill(greenlet)


def _exceed_the_time_limit(pool: GeventPool) -> None:
    body = Body("a")
    _submit(pool, body, timeout=0.01)
    gevent.sleep(0.1)
    assert body.told == [("timeout_callback", False)]


def _fail(_pool: GeventPool, **options: Any) -> None:
    def fail(*_args: Any) -> None:
        raise ZeroDivisionError

    _pool.apply_async(fail, ("task", "a", {}), callback=print, **options)


def _fail_when_accepted(pool: GeventPool) -> None:
    def fail(*_args: Any) -> None:
        raise ZeroDivisionError

    _submit(pool, Body("a"), accept_callback=fail)


@pytest.mark.parametrize(
    "end",
    [
        _kill_in_its_body,
        _kill_as_it_finishes,
        _kill_before_it_begins,
        _exceed_the_time_limit,
        _fail,
        _fail_when_accepted,
    ],
)
def test_a_place_is_free_again_however_its_greenlet_ended(
    pool: GeventPool, end: Callable[[GeventPool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(PLACES):
        end(pool)
        _turn()

    assert _all_places_are_free(pool)
    capsys.readouterr()  # gevent prints what its greenlets raise


def test_whatever_escapes_a_job_is_answered_as_an_error(pool: GeventPool) -> None:
    body = Body("a")

    def escape(*_args: Any) -> None:
        raise SystemExit(3)

    pool.apply_async(
        escape, ("task", "a", {}), callback=body.tell("callback"), error_callback=body.tell("error_callback")
    )
    _turn()

    [(kind, error)] = body.told
    assert kind == "error_callback"
    assert "SystemExit(3)" in str(error.exception)


def test_no_time_limit_runs_while_a_job_waits_for_its_place(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "ab")
    waiting = Body("c")
    _submit(pool, waiting, timeout=0.2)

    gevent.sleep(0.3)
    bodies[0].may_end.set()
    _turn()

    assert (waiting.state, waiting.told) == ("runs", [])


def test_a_job_that_was_revoked_before_its_turn_does_not_kill_itself(pool: GeventPool) -> None:
    body = Body("a")
    body.may_end.set()
    body.may_finish.set()

    # as Celery's request does when its job was revoked with `terminate` while it waited
    _submit(pool, body, accept_callback=lambda pid, _accepted_at: pool.terminate_job(pid, 15))
    _turn()

    assert body.told == [("callback", (0, "a", 0.01))]


def test_what_waits_is_forgotten_when_the_connection_is_lost(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcd")

    pool.flush()
    bodies[0].may_end.set()
    _turn()

    assert _states(bodies) == ["finishes", "runs", "waits", "waits"]
    assert bodies[2].told == []


def test_what_waits_goes_back_to_the_broker_when_the_worker_stops(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcd")

    pool.give_back_all()
    bodies[0].may_end.set()
    _turn()

    assert _states(bodies) == ["finishes", "runs", "waits", "waits"]
    assert [_was_given_back(body) for body in bodies] == [False, False, True, True]


def test_what_waits_for_long_goes_back_to_the_broker(pool: GeventPool, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    pool.window, pool.on_window = pool.make_window(narrow=PLACES + 1), sizes.append
    bodies = _submit_all(pool, "abcde")

    pool.give_back_surplus()
    assert sizes == []
    monkeypatch.setattr("warren.delivery.batching.ahead.SURPLUS_AFTER_S", 0)
    pool.give_back_surplus()

    assert [_was_given_back(body) for body in bodies] == [False, False, False, True, True]
    assert sizes == [PLACES + 1]


def test_it_fetches_further_ahead_while_jobs_are_short(pool: GeventPool) -> None:
    sizes: list[int] = []
    pool.window, pool.on_window = Margin(narrow=PLACES, places=PLACES), sizes.append

    for body in _submit_all(pool, "abcdefghijklmnop"):
        body.may_end.set()
        body.may_finish.set()
        _turn()

    assert sizes == [PLACES + 1]


def test_it_grows_and_shrinks(pool: GeventPool) -> None:
    bodies = _submit_all(pool, "abcde")

    pool.grow()
    _turn()
    assert _states(bodies) == ["runs", "runs", "runs", "waits", "waits"]
    pool.shrink(2)
    bodies[0].may_end.set()
    bodies[1].may_end.set()
    _turn()
    assert _states(bodies)[2:] == ["runs", "waits", "waits"]
    bodies[2].may_end.set()
    _turn()

    assert _states(bodies)[2:] == ["finishes", "runs", "waits"]
    assert pool.num_processes == 1


def test_a_job_that_cannot_begin_goes_back_to_the_broker_and_keeps_no_place(
    pool: GeventPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise MemoryError("no room for a greenlet")

    with monkeypatch.context() as patch:
        patch.setattr(pool, "on_apply", fail)
        failed = _submit_all(pool, "a")
    others = _submit_all(pool, "bc")

    assert _was_given_back(failed[0])
    assert _states(others) == ["runs", "runs"]


def _was_given_back(body: Body) -> bool:
    return any(kind == "error_callback" and isinstance(error.exception.exc, Reject) for kind, error in body.told)

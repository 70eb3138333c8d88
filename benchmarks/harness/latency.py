"""From submit to the result in the caller's hands, at a steady rate.

Several processes, as web servers have, each submit and wait in turn on a fixed schedule. A set-up too slow for the rate
falls behind it: the rate that was reached is told, and each time is counted from the actual submit.
"""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness import events
from benchmarks.harness.adapter import Adapter

CALLERS = 8
WARM_UP = 5


def measure(make_adapter: Callable[[], Adapter], *, rate: float, seconds: float) -> None:
    """`rate` is jobs a second, of all callers together."""
    forking: Any = multiprocessing.get_context("fork")
    gate, answers = forking.Barrier(CALLERS + 1), forking.Queue()
    schedule = {"rate": rate, "seconds": seconds}
    callers = [
        forking.Process(target=_call, args=(make_adapter, gate, answers), kwargs=schedule | {"number": number})
        for number in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    gate.wait()
    events.emit(events.BEGIN)
    started = time.perf_counter()
    outcomes = [answers.get() for _ in callers]
    ended = time.perf_counter()
    latencies = [latency for times, _wrong in outcomes for latency in times]
    events.emit(
        events.END,
        count=len(latencies),
        span_s=ended - started,
        correct=not any(wrong for _times, wrong in outcomes),
        latencies_ms=[round(1000 * latency, 3) for latency in latencies],
    )
    for caller in callers:
        caller.join()


def _call(
    make_adapter: Callable[[], Adapter], gate: Any, answers: Any, *, number: int, rate: float, seconds: float
) -> None:
    adapter = make_adapter()
    for warm_up in range(WARM_UP):
        adapter.call(warm_up)
    gate.wait()
    pace_s = CALLERS / rate
    due = time.perf_counter() + pace_s * number / CALLERS  # spread evenly
    end = due + seconds
    times: list[float] = []
    wrong = 0
    while due < end and time.perf_counter() < end:
        time.sleep(max(0.0, due - time.perf_counter()))
        started = time.perf_counter()
        wrong += adapter.call(len(times)) != len(times)
        times.append(time.perf_counter() - started)
        due += pace_s
    answers.put((times, wrong))

"""The tables, for people and for programs."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import targets
from benchmarks.arithmetic import Figure, figure, percentile
from benchmarks.catalogue import SETUPS
from benchmarks.measure import Measurement
from benchmarks.works import WORKS, Work


def write(made: Sequence[Measurement], *, to: Path) -> None:
    """Print the tables, and keep them as `to`.md, with all single values in `to`.json, a measurement a line."""
    text = tables(made)
    to.with_suffix(".md").write_text(text)
    to.with_suffix(".json").write_text("[\n" + ",\n".join(json.dumps(asdict(each)) for each in made) + "\n]\n")
    sys.stdout.write(text)


def tables(made: Sequence[Measurement]) -> str:
    """Markdown: one table for each kind of work that was done."""
    done = {each.work for each in made}
    parts = [_table(work, [each for each in made if each.work == work.name]) for work in WORKS if work.name in done]
    return "\n".join([_about(), *parts, _targets(made)])


def _about() -> str:
    code, busy = os.environ.get("BENCH_CODE", "unknown"), os.getloadavg()[2]
    now = datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{os.cpu_count()} cores, kernel {platform.release()}, load of the last 15 minutes {busy:.1f}"
    how = (
        "Rates are medians of the rounds; ± is half the range. Ratios are of Warren's rate to this one's, round by "
        "round, with the least and the most."
    )
    return f"{now}, commit {code}, {machine}.\n\n{how}\n"


def _targets(made: Sequence[Measurement]) -> str:
    lines = ["### Targets", "", "| target | limit | measured | |", "|---|---|---|---|"]
    open_ones = []
    for verdict in targets.judge(made):
        if verdict.value is None:
            open_ones.append(verdict.name)
            continue
        sign, outcome = "≤" if verdict.at_most else "≥", "met" if verdict.met else "**not met**"
        lines.append(f"| {verdict.name} | {sign} {verdict.limit:g} | {_range(verdict.value)} | {outcome} |")
    if open_ones:
        lines += ["", f"Not measured: {'; '.join(open_ones)}."]
    return "\n".join([*lines, ""])


def _table(work: Work, made: Sequence[Measurement]) -> str:
    columns = _LATENCY if work.measurement == "latency" else _RATE
    heads = ["set-up", *columns, "CPU ms a job"]
    lines = [f"### {work.title}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for setup in SETUPS:
        rows = [each for each in made if each.setup == setup.name]
        if not rows:
            continue
        good = [each for each in rows if not each.void]
        cells = _cells(work, good, made) if good else ["void", *[""] * (len(heads) - 2)]
        lines.append(f"| {setup.title} | {' | '.join(cells)} |")
        lines += [f"| | void, round {each.round}: {each.void} |{' |' * (len(heads) - 2)}" for each in rows if each.void]
    return "\n".join([*lines, ""])


_RATE = ("jobs/s", "Warren's, times this", "time, of the ideal")
_LATENCY = ("p50 ms", "p99 ms", "reached/s")


def _cells(work: Work, made: Sequence[Measurement], of_all: Sequence[Measurement]) -> list[str]:
    if work.measurement == "latency":
        pooled = [latency for each in made for latency in each.latencies_ms]
        reached = figure([each.rate for each in made]).median
        return [f"{percentile(pooled, 0.5):.1f}", f"{percentile(pooled, 0.99):.1f}", f"{reached:.0f}", _cpu(made)]
    times = targets.against(of_all, work.name, made[0].setup)
    against = _range(times) if times and made[0].setup != targets.US else ""
    ideal = _range(figure([each.job_s / work.ideal_s for each in made])) if work.ideal_s else ""
    return [_plain(figure([each.rate for each in made])), against, ideal, _cpu(made)]


def _plain(value: Figure) -> str:
    return f"{value.median:.0f} ±{100 * value.spread:.0f} %"


def _range(value: Figure) -> str:
    return f"{value.median:.2f} ({value.least:.2f} to {value.most:.2f})"


def _cpu(made: Sequence[Measurement]) -> str:
    """By service, largest first."""
    services = {name for each in made for name in each.cpu_s}
    used = {name: figure([1000 * each.cpu_s.get(name, 0) / each.count for each in made]).median for name in services}
    shown = [f"{name} {used[name]:.2f}" for name in sorted(used, key=lambda name: -used[name])]
    return f"**{sum(used.values()):.2f}**: {', '.join(shown)}"

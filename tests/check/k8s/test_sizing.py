"""The tables of docs/how-to/kubernetes-scaling.md: what was measured, and what is computed of it."""

import re
from typing import Any

import pytest

from tests.check.k8s.builds import ROOT

PAGE = (ROOT / "docs/how-to/kubernetes-scaling.md").read_text()
HALF_BUSY = 2
NODES = 3  # of RabbitMQ, each of which writes each message
# in the order of the second table's columns
PROCESSES = {
    "Postgres": "postgres",
    "worker-cpu": "worker-cpu",
    "web": "web",
    "RabbitMQ, one node": "rabbitmq",
    "relay": "relay",
}
LATEST = (ROOT / "benchmarks/results/latest.md").read_text()


def _measured(work: str, set_up: str) -> dict[str, float]:
    """CPU ms a job by container, from the last full run."""
    section = LATEST.partition(f"### {work}\n")[2].partition("\n### ")[0]
    row = next(line for line in section.splitlines() if line.startswith(f"| {set_up} |"))
    return {name: float(ms) for name, ms in re.findall(r"([a-z-]+) (\d+\.\d+)", row.rpartition("**: ")[2])}


def _costs() -> dict[str, list[float]]:
    """The page's first table: one call, in bulk, and both with many rows."""
    rows = re.findall(r"^\| ([\w, -]+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+), ([\d.]+) \|$", PAGE, re.MULTILINE)
    return {name: [float(each) for each in found] for name, *found in rows}


def _sizes() -> list[Any]:
    pattern = r"^\| ([\d ]+), (one call|in bulk) \| ([\d ]+) \|" + r" ([\d.]+) \|" * 6 + "$"
    return re.findall(pattern, PAGE, re.MULTILINE)


@pytest.mark.parametrize("process", PROCESSES)
def test_the_costs_are_those_that_were_measured(process: str) -> None:
    many = "Warren, with 1 M finished and 100 k waiting jobs"
    works = ("accept → stored, one call a job", "accept → stored, in bulk")

    measured = [_measured(work, set_up)[PROCESSES[process]] for set_up in ("Warren", many) for work in works]

    assert _costs()[process] == measured


@pytest.mark.parametrize("row", _sizes(), ids=lambda row: f"{row[0]} {row[1]}")
def test_the_sizes_follow_from_the_costs(row: tuple[str, ...]) -> None:
    a_minute, way, a_second, *said, total = row
    rate = int(a_minute.replace(" ", "")) / 60
    costs = [_costs()[column][2 if way == "one call" else 3] for column in PROCESSES]

    cores = [cost / 1000 * rate * HALF_BUSY for cost in costs]

    assert int(a_second.replace(" ", "")) == round(rate)
    assert [float(each) for each in said] == pytest.approx(cores, abs=0.051)
    assert float(total) == pytest.approx(sum(cores) + (NODES - 1) * cores[3], abs=0.051)


def test_the_table_has_every_size_that_is_spoken_of() -> None:
    assert [(row[0], row[1]) for row in _sizes()] == [
        ("1 000", "one call"),
        ("10 000", "one call"),
        ("100 000", "one call"),
        ("100 000", "in bulk"),
        ("1 000 000", "in bulk"),
    ]


@pytest.mark.parametrize(
    ("work", "rates"),
    [("accept → stored, one call a job", ["450", "372"]), ("accept → stored, in bulk", ["1658", "1162"])],
)
def test_the_rates_are_those_that_were_reached(work: str, rates: list[str]) -> None:
    section = LATEST.partition(f"### {work}\n")[2].partition("\n### ")[0]
    ours = [line for line in section.splitlines() if line.startswith("| Warren")][:2]

    assert [re.findall(r"\| (\d+) ±", line)[0] for line in ours] == rates
    assert "450/s | 1 658/s | 372/s, 1 162/s" in PAGE

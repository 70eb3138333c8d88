"""The table of sizes in docs/how-to/kubernetes-scaling.md follows from the table of costs, which was measured."""

import re
from typing import Any

import pytest

from tests.check.k8s.builds import ROOT

PAGE = (ROOT / "docs/how-to/kubernetes-scaling.md").read_text()
HALF_BUSY = 2
NODES = 3  # of RabbitMQ, each of which writes each message
# in the order of the second table's columns
PROCESSES = ("Postgres", "worker-cpu", "web", "RabbitMQ, one node", "relay")


def _costs() -> dict[str, list[float]]:
    """The page's first table: one call, in bulk, and both with many rows."""
    rows = re.findall(r"^\| ([\w, -]+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+), ([\d.]+) \|$", PAGE, re.MULTILINE)
    return {name: [float(each) for each in found] for name, *found in rows}


def _sizes() -> list[Any]:
    pattern = r"^\| ([\d ]+), (one call|in bulk) \| ([\d ]+) \|" + r" ([\d.]+) \|" * 6 + "$"
    return re.findall(pattern, PAGE, re.MULTILINE)


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

"""`make bench/streams`: what many open streams cost one web container, and how late they hear.

Writes results/streams.md. The whole stack as it ships, with one worker; who watches runs inside web's container, where
web's processes can be seen (`watch.py`), so web has to share its memory limit and its CPUs with them.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.arithmetic import percentile
from benchmarks.catalogue import WARREN
from benchmarks.project import Project
from benchmarks.rounds import say

RESULT = Path(__file__).parents[1] / "results" / "streams.md"
STREAMS = 1000
ROOM = 10_000  # the limits are not what is measured

SETUP = replace(
    WARREN,
    name="warren-streams",
    title="Warren with open streams",
    files=("compose/stack.yaml", "benchmarks/setups/warren/streams.yaml"),
    values={**WARREN.values, "STREAMS_PER_USER": str(ROOM), "STREAMS_PER_PROCESS": str(ROOM)},
)
WAYS = {"events": "Server-Sent Events", "websocket": "WebSocket"}
COLUMNS = (
    *("streams by", "what happens", "opened in", "memory before", "with the streams", "a stream"),
    *("p50", "p99", "worst", "CPU of web"),
)


def main() -> None:
    """Measure both ways, each in every story of `watch.py`."""
    parser = argparse.ArgumentParser(prog="make bench/streams")
    parser.add_argument("--streams", type=int, default=STREAMS)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(SETUP, Path(folder))
        try:
            project.create()
            project.start(SETUP.cpu_worker)
            rows = [row for way in WAYS for row in _measured(project, way, streams=given.streams)]
        finally:
            project.remove()
    head = [_title(given.streams), "", f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    RESULT.write_text("\n".join([*head, *rows]) + "\n")
    sys.stdout.write(RESULT.read_text())


def _title(streams: int) -> str:
    return (
        f"{streams} open streams on one web container, in 2 processes. Memory is that of web's processes (PSS); "
        "latency is from the moment that stands in the row as the job's end to the event in the reader's hands."
    )


def _measured(project: Project, way: str, *, streams: int) -> Iterator[str]:
    project.clear()
    say(f"{streams} streams by {WAYS[way]}")
    said = project.compose(
        *("exec", "--no-TTY", "--env", f"PYTHONPATH={SETUP.python_path}", SETUP.submitter),
        *("python", "-m", "benchmarks.streams.watch", "--way", way, "--streams", str(streams)),
    )
    for line in said.splitlines():
        yield _row(way, json.loads(line))


def _row(way: str, told: dict[str, Any]) -> str:
    waits = sorted(told["latencies_ms"])
    each_kb = (told["open_mb"] - told["before_mb"]) * 1024 / told["streams"]
    cells = [
        WAYS[way],
        told["story"],
        f"{told['opened_s']:.1f} s",
        f"{told['before_mb']:.0f} MB",
        f"{told['open_mb']:.0f} MB",
        f"{each_kb:.0f} KB",
        *(f"{percentile(waits, part):.0f} ms" for part in (0.5, 0.99, 1.0)),
        f"{told['cpu_s']:.1f} s",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

"""Runs one measurement inside a set-up's submitter: `python -m benchmarks.harness accept --way each --count 1000`."""

import argparse
from importlib import import_module

from benchmarks.harness import accept, drain, latency


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="harness")
    parser.add_argument("measurement", choices=("accept", "drain", "latency"))
    parser.add_argument("--way", choices=("each", "bulk"), default="each")
    parser.add_argument("--kind", choices=("echo", "wait", "spin"), default="echo")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=20.0)
    given = parser.parse_args()
    make = import_module("adapter").make  # the set-up's own
    if given.measurement == "accept":
        accept.measure(make(), way=given.way, count=given.count)
    elif given.measurement == "drain":
        drain.measure(make(), kind=given.kind, count=given.count, seconds=given.seconds)
    else:
        latency.measure(make, rate=given.rate, seconds=given.seconds)


if __name__ == "__main__":
    main()

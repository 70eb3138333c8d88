"""`make bench`: measures the set-ups, prints the table, and writes results/latest.md and latest.json.

A run of less than everything goes to results/partial.* instead, which git ignores.
"""

import argparse
import signal
import tempfile
from pathlib import Path

from benchmarks import report, rounds
from benchmarks.catalogue import SETUPS
from benchmarks.works import WORKS

RESULTS = Path(__file__).parent / "results"
QUICK = 0.1  # of the jobs
ROUNDS = 3


def main() -> None:
    """Run what the command line names; all of it without."""
    given = _parse()
    setups = [setup for setup in SETUPS if not given.only or setup.name in given.only]
    works = [work for work in WORKS if not given.work or work.name in given.work]
    # `docker stop` of the runner ends it as Ctrl-C does, so that the set-ups are taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        scale = QUICK if given.quick else 1.0
        made = list(rounds.run(setups, works, rounds=given.rounds, scale=scale, folder=Path(folder)))
    is_whole = not (given.only or given.work or given.quick) and given.rounds >= ROUNDS
    report.write(made, to=RESULTS / ("latest" if is_whole else "partial"))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", type=_names([setup.name for setup in SETUPS]), default=[], help="set-ups")
    parser.add_argument("--work", type=_names([work.name for work in WORKS]), default=[], help="kinds of work")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs")
    return parser.parse_args()


def _names(known: list[str]) -> "type":
    def names(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(known)}")
        return chosen

    return names  # type: ignore[return-value]  # argparse wants any callable


if __name__ == "__main__":
    main()

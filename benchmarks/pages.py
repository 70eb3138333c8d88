"""`make bench/pages`: how long the server takes for each page of the dashboard, with 100 000 jobs in the table.

Prints a table, keeps it as results/pages.md, and fails if a page takes longer than the dashboard promises.
"""

import json
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.catalogue import WARREN
from benchmarks.project import Project
from benchmarks.rounds import say

RESULT = Path(__file__).parent / "results" / "pages.md"
LIMIT_MS = 200.0
# what a page shows is there without anything that runs
QUIET = replace(WARREN, name="warren-pages", always=("postgres", "rabbitmq"))


def main() -> None:
    """Fill, ask, print."""
    # `docker stop` of the runner ends it as Ctrl-C does, so that the stack is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(QUIET, Path(folder))
        try:
            project.create()
            say("asking for every page")
            said = project.compose(
                "exec", "--no-TTY", "web", "env", f"PYTHONPATH={QUIET.python_path}", "python", "-m", "pages"
            )
        finally:
            project.remove()
    figures = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    RESULT.write_text(table(figures))
    sys.stdout.write(RESULT.read_text())
    if slow := too_slow(figures):
        sys.exit(f"over {LIMIT_MS:.0f} ms: {', '.join(slow)}")


def table(figures: list[dict[str, Any]]) -> str:
    """Markdown, a row for each page."""
    rows = [
        f"| `{each['path']}`{' (live part)' if each['live'] else ''} | {'staff' if each['staff'] else 'a person'} | "
        f"{each['queries']} | {each['median_ms']:.0f} | {each['most_ms']:.0f} |"
        for each in figures
    ]
    head = "| page | for | queries | median ms | most ms |\n|---|---|---:|---:|---:|\n"
    return f"{head}{'\n'.join(rows)}\n"


def too_slow(figures: list[dict[str, Any]]) -> list[str]:
    """The pages whose median is over the limit; one slow answer among twenty is the machine's."""
    return [each["path"] for each in figures if each["median_ms"] > LIMIT_MS]


if __name__ == "__main__":
    main()

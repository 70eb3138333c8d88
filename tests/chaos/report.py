"""The table of all runs: printed at the end, and written as JSON for who wants to keep it."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from tests.chaos.judge import Verdict

PROPERTY = "ledger"  # under which a test's report carries its rows, as plain data, to the process that prints the table
COLUMNS = ("fault", "jobs", "lost", "duplicated effects", "longest stall", "otherwise wrong")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run. `jobs` are those of the accepted submissions; `repeated` of them needed more than one attempt."""

    fault: str
    submissions: int
    not_accepted: int
    jobs: int
    repeated: int
    lost: int
    duplicated: int
    wrong: int
    stall_s: float

    @classmethod
    def of(cls, fault: str, verdict: Verdict, *, stall_s: float) -> Self:
        """The row for a verdict."""
        return cls(
            fault=fault,
            submissions=verdict.accepted,
            not_accepted=verdict.not_accepted,
            jobs=verdict.jobs,
            repeated=verdict.repeated_attempts,
            lost=len(verdict.lost),
            duplicated=len(verdict.duplicated),
            wrong=len(verdict.wrong),
            stall_s=round(stall_s, 1),
        )


@dataclass
class Report:
    """The rows of all runs. `tell` shows a line at once: whoever waits an hour for a full run wants to see it go on."""

    tell: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.tell("  ".join(_cells(row)))

    def add_all(self, properties: list[tuple[str, object]]) -> None:
        """Add the rows among what a test recorded, maybe in another process."""
        for name, value in properties:
            if name == PROPERTY and isinstance(value, dict):
                self.add(Row(**value))

    def lines(self) -> list[str]:
        """The table, as text in columns."""
        cells = [COLUMNS, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
        return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]

    @property
    def folder(self) -> Path:
        """Where the report and the logs of failed runs are kept."""
        return Path(os.environ["REPORTS_DIR"])

    def save(self) -> None:
        """Write all to chaos.json."""
        (self.folder / "chaos.json").write_text(json.dumps([asdict(row) for row in self.rows], indent=2) + "\n")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.fault, str(row.jobs), str(row.lost), str(row.duplicated), f"{row.stall_s} s", str(row.wrong))

"""What a terminal is told apart from a pipe by: colours, and lines as long as they need to be.

On a terminal rich colours what is shown and fits it to the width (NO_COLOR is honoured, https://no-color.org). A pipe
gets plain columns that `cut`, `grep` and `awk` understand, in which nothing is cut. What comes out of jobs may hold
control characters, by which text could steer the terminal of whoever is on call: they are shown, not obeyed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, override

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = "  "
LEAST_FOLDED = 12  # narrower than this a folded column says nothing
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: `folds` over several lines where a terminal is narrow; `rank` above 0 is left out there.

    Of those, the highest first. What neither folds nor is left out is always shown whole.
    """

    title: str
    folds: bool = False
    rank: int = 0
    number: bool = False


class _Console(Console):
    """rich would end the process with 1 where a pipe is closed; how it ends is for its command to say."""

    @override
    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704  it is called where the error is handled


def console_on(out: Any, *, options: Mapping[str, Any] | None = None) -> Console:
    """A console that writes to this stream of a command. No line is broken but in tables.

    `options` are the command's, of which Django gives each `--no-color` and `--force-color`.
    """
    given = options or {}
    return _Console(
        file=out,
        no_color=given.get("no_color") or None,  # None: as NO_COLOR says
        force_terminal=given.get("force_color") or None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def safe(value: object) -> str:
    """The value as text in which control characters are spelled out; lines stay lines."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], str(value))


def styled(value: object, style: str = "") -> Text:
    """A cell or a part of a line, safe to show."""
    return Text(safe(value), style=style)


def show_table(console: Console, columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> None:
    """Print a heading and the rows, as the console's kind wants them."""
    cells = [list(row) for row in rows]
    if not console.is_terminal:
        for line in _plain_lines(columns, cells):
            console.print(line)
        return
    widths = [_widest(column, [row[number] for row in cells]) for number, column in enumerate(columns)]
    kept = _that_fit(columns, widths, room=console.width)
    needed = _needed(columns, widths, kept)
    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    if needed > console.width:
        table.width = needed  # the terminal breaks the lines; rich would cut the ids
    for number in kept:
        column = columns[number]
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=not column.folds,
            overflow="fold",
            min_width=_least(column, widths[number]),
        )
    for row in cells:
        table.add_row(*(row[number] for number in kept))
    console.print(table, crop=False, soft_wrap=False, no_wrap=False)


def _plain_lines(columns: Sequence[Column], cells: list[list[Text]]) -> Iterator[str]:
    texts = [
        [column.title for column in columns],
        *([" ".join(cell.plain.split("\n")) for cell in row] for row in cells),
    ]
    widths = [max(cell_len(row[number]) for row in texts) for number in range(len(columns))]
    for row in texts:
        yield GAP.join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()


def _that_fit(columns: Sequence[Column], widths: Sequence[int], *, room: int) -> list[int]:
    kept = list(range(len(columns)))
    for number in sorted((n for n in kept if columns[n].rank), key=lambda n: -columns[n].rank):
        if _needed(columns, widths, kept) <= room:
            break
        kept.remove(number)
    return kept


def _needed(columns: Sequence[Column], widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(_least(columns[number], widths[number]) for number in kept) + len(GAP) * (len(kept) - 1)


def _least(column: Column, width: int) -> int:
    return min(width, LEAST_FOLDED) if column.folds else width


def _widest(column: Column, cells: Iterable[Text]) -> int:
    return max([cell_len(column.title), *(cell_len(line) for cell in cells for line in cell.plain.split("\n"))])

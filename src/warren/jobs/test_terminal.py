"""How tables look on a terminal and in a pipe."""

import io

import pytest
from rich.text import Text

from warren.jobs.terminal import Column, console_on, safe, show_table, styled

ID = "0b7f6a5e-3f51-4c8f-9d0e-5c7d1d1f4a11"
COLUMNS = [
    Column(title="ID"),
    Column(title="STATE"),
    Column(title="TASK", folds=True),
    Column(title="QUEUE", rank=2),
    Column(title="CREATED_AT", rank=1),
]
ROW = [styled(ID), styled("failed", "red"), styled("images.make_thumbnails"), styled("cpu"), styled("2026-05-04 12:00")]


class Terminal(io.StringIO):
    """Says that a person looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def _shown(*, out: io.StringIO, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    show_table(console_on(out), COLUMNS, [ROW])
    return out.getvalue()


def test_a_pipe_gets_plain_columns_in_which_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(out=io.StringIO(), columns=20, monkeypatch=monkeypatch)

    assert shown.splitlines() == [
        "ID                                    STATE   TASK                    QUEUE  CREATED_AT",
        f"{ID}  failed  images.make_thumbnails  cpu    2026-05-04 12:00",
    ]


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(out=Terminal(), columns=200, monkeypatch=monkeypatch)

    assert "\x1b[31mfailed" in shown


def test_it_gets_none_where_no_color_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[31m" not in _shown(out=Terminal(), columns=200, monkeypatch=monkeypatch)


def test_djangos_options_count_too() -> None:
    plain, coloured = Terminal(), io.StringIO()

    show_table(console_on(plain, options={"no_color": True, "force_color": False}), COLUMNS, [ROW])
    show_table(console_on(coloured, options={"no_color": False, "force_color": True}), COLUMNS, [ROW])

    assert "\x1b[31m" not in plain.getvalue()
    assert "\x1b[31mfailed" in coloured.getvalue()


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (120, ["ID", "STATE", "TASK", "QUEUE", "CREATED_AT"]),
        (80, ["ID", "STATE", "TASK", "CREATED_AT"]),
        (60, ["ID", "STATE", "TASK"]),
        (30, ["ID", "STATE", "TASK"]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns_and_whole_ids(
    columns: int, headings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Text.from_ansi(_shown(out=Terminal(), columns=columns, monkeypatch=monkeypatch)).plain

    heading, *rows = shown.splitlines()
    assert heading.split() == headings
    assert rows[0].startswith(f"{ID}  failed")
    assert all(len(line.rstrip()) <= max(columns, 62) for line in shown.splitlines())
    assert "".join(row[len(ID) + 10 :].split()[0] for row in rows if row.strip()).startswith("images.make_thumbnails")


def test_what_steers_a_terminal_is_shown_instead() -> None:
    assert safe("a\x1b[2Jb\x9b1mc\u202ed\re") == "a\\x1b[2Jb\\x9b1mc\\u202ed\\re"
    assert safe("two\nlines\tand a tab") == "two\nlines\tand a tab"

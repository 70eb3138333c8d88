"""How a live part is merged into what stands on a page: only what differs is touched. It needs no stack."""

import json
import subprocess
from pathlib import Path
from typing import Any

import playwright
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "src/warren/dashboard/static/dashboard/dashboard.js"
NODE = Path(playwright.__file__).parent / "driver/node"  # Playwright's own

type Tree = Any  # a text, or [name, attributes, children]


def _merged(old: Tree, fresh: Tree) -> dict[str, Any]:
    given = json.dumps({"old": old, "fresh": fresh})
    done = subprocess.run(
        [NODE, Path(__file__).parent / "merging.js", SCRIPT, given], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _row(name: str, text: str = "") -> Tree:
    return ["TR", {"id": name}, [["TD", {}, [text or name]]]]


def _table(*rows: Tree) -> Tree:
    children: list[Tree] = ["\n"]
    for row in rows:
        children += [row, "\n"]
    return ["DIV", {"id": "rows"}, children]


CASES = {
    "the same": (["a", "b"], ["a", "b"]),
    "one came first": (["a", "b"], ["new", "a", "b"]),
    "one came last": (["a", "b"], ["a", "b", "new"]),
    "the first went": (["a", "b", "c"], ["b", "c"]),
    "one came, one went": (["a", "b", "c"], ["new", "a", "b"]),
    "all went": (["a", "b"], []),
    "all are others": (["a", "b"], ["c", "d"]),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_that_stay_are_neither_made_anew_nor_moved(case: str) -> None:
    old, fresh = CASES[case]

    merged = _merged(_table(*map(_row, old)), _table(*map(_row, fresh)))

    assert merged["told"] == _table(*map(_row, fresh))
    assert set(merged["kept"]) == {"rows"} | set(old) & set(fresh)
    assert [name for name in merged["moved"] if name in old] == []


def test_rows_that_changed_places_are_found_again() -> None:
    merged = _merged(_table(_row("a"), _row("b")), _table(_row("b"), _row("a")))

    assert merged["told"] == _table(_row("b"), _row("a"))
    assert {"a", "b"} <= set(merged["kept"])


def test_texts_and_attributes_follow_the_server() -> None:
    old = ["DIV", {"id": "x", "class": "waits", "hidden": ""}, ["1 s ago", ["B", {}, ["one"]]]]
    fresh = ["DIV", {"id": "x", "class": "good"}, ["2 s ago", ["B", {}, ["two"]], "more"]]

    assert _merged(old, fresh)["told"] == fresh


@pytest.mark.parametrize(
    ("old", "fresh"),
    [
        (["DETAILS", {"open": ""}, []], ["DETAILS", {}, []]),
        (["INPUT", {"checked": ""}, []], ["INPUT", {}, []]),
        (["INPUT", {"value": "typed"}, []], ["INPUT", {"value": "sent"}, []]),
    ],
)
def test_what_a_person_has_changed_stays(old: Tree, fresh: Tree) -> None:
    assert _merged(["DIV", {}, [old]], ["DIV", {}, [fresh]])["told"] == ["DIV", {}, [old]]


def test_what_nobody_types_follows_the_server() -> None:
    old, fresh = (["DIV", {}, [["INPUT", {"type": "hidden", "value": value}, []]]] for value in ("old", "new"))

    assert _merged(old, fresh)["told"] == fresh


def test_sections_that_come_and_go_leave_the_others() -> None:
    section = {name: ["SECTION", {"id": name}, [name]] for name in ("steps", "progress", "facts", "timeline")}
    old = ["DIV", {"id": "job"}, [["DIV", {}, ["head"]], section["steps"], section["progress"], section["facts"]]]
    fresh = ["DIV", {"id": "job"}, [["DIV", {}, ["new head"]], section["facts"], section["timeline"]]]

    merged = _merged(old, fresh)

    assert merged["told"] == fresh
    assert "facts" in merged["kept"]
    assert merged["moved"] == []
    assert merged["added"] == 1

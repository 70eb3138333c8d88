from typing import Any

from benchmarks import pages


def _figures(**changes: Any) -> dict[str, Any]:
    plain = {"path": "/jobs/", "staff": True, "live": False, "queries": 4, "median_ms": 12.4, "most_ms": 31.0}
    return plain | changes


def test_a_page_is_too_slow_by_its_median() -> None:
    figures = [_figures(), _figures(path="/slow/", median_ms=200.1), _figures(most_ms=900.0)]

    assert pages.too_slow(figures) == ["/slow/"]


def test_the_table_has_a_row_for_each() -> None:
    written = pages.table([_figures(), _figures(live=True, staff=False)])

    assert "| `/jobs/` | staff | 4 | 12 | 31 |" in written
    assert "| `/jobs/` (live part) | a person | 4 | 12 | 31 |" in written

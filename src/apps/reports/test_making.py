"""The task: which jobs a report has, what is told meanwhile, and what is on the disk whatever happens."""

import csv
import io
import json
import re
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.reports import chart, making, pdf_file, scope, storing
from apps.reports.conftest import END, START, MakeReport, make_job, path_of
from apps.reports.limits import TooMuchError
from apps.reports.models import Report
from apps.reports.scope import Row, Scope
from apps.reports.summary import Summary
from apps.reports.tasks import make_report
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by

pytestmark = pytest.mark.django_db

_MANY = """
INSERT INTO warren_job (id, task, queue, owner_id, state, attempt, worker, arguments, message, traceback, root_id,
                        parent_id, group_id, created_at, started_at, finished_at)
SELECT 'job-' || n, 'some.task', 'io', %s, 'succeeded', 1, '', '', '', '', '', '', '',
       %s + (n / 100) * interval '1 s', %s, now()
FROM generate_series(1, %s) AS n
"""


def _make_many(owner: Any, count: int) -> None:
    """A hundred have the same time, as those of one batch do."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [owner.pk, START, START, count])


def _rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path_of(report).read_text())))


@pytest.mark.usefixtures("jobs")
def test_it_has_ones_own_jobs_of_the_range_oldest_first(report_of: MakeReport) -> None:
    rows = _rows(report_of())

    assert [row["id"] for row in rows] == ["first", "second", "third"]
    assert rows[0] == {
        "id": "first",
        "task": "some.task",
        "queue": "cpu",
        "state": "succeeded",
        "attempt": "1",
        "created_at": "2026-05-01T00:00:00+00:00",
        "started_at": "2026-05-01T00:00:01+00:00",
        "finished_at": "2026-05-01T00:00:03+00:00",
        "wait_s": "1.0",
        "run_s": "2.0",
    }
    assert (rows[1]["state"], rows[1]["started_at"], rows[1]["run_s"]) == ("queued", "", "")


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("kind", ["csv", "pdf"])
def test_it_says_what_it_made_in_a_few_words(user: Any, kind: str) -> None:
    with owned_by(user.pk):
        told: Any = make_report.apply(
            kwargs={"kind": kind, "start": START, "end": END}, task_id="its-id", throw=True
        ).result

    report = Report.objects.get(pk="its-id")
    assert told == {
        "report": "its-id",
        "kind": kind,
        "rows": 3,
        "bytes": path_of(report).stat().st_size,
        "url": "/api/reports/its-id/file/",
    }
    assert json.dumps(told)
    assert (report.owner_id, report.kind, report.rows, report.bytes) == (user.pk, kind, 3, told["bytes"])


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_it_reads_every_job_once_whatever_the_pages(user: Any, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(scope, "PAGE", page)
    for number in range(7):
        make_job(user, job_id=f"{number}", at=START + timedelta(seconds=number // 3))

    pages = list(Scope(owner_id=user.pk, start=START, end=END).pages())

    assert [row.id for each in pages for row in each] == [f"{number}" for number in range(7)]
    assert max(len(each) for each in pages) == min(page, 7)


def test_it_tells_how_many_jobs_are_written(user: Any, report_of: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "PAGE", 2)
    told: list[Any] = []
    monkeypatch.setattr(make_report, "update_state", lambda **state: told.append(state))
    for number in range(5):
        make_job(user, job_id=f"{number}", at=START)

    report_of()

    assert told == [{"state": "PROGRESS", "meta": {"done": done, "of": 5}} for done in (2, 4, 5)]


def test_it_makes_a_report_of_nothing(report_of: MakeReport) -> None:
    assert (report_of().rows, _rows(report_of())) == (0, [])
    assert path_of(report_of("pdf")).read_bytes().startswith(b"%PDF-")


def test_a_formula_in_a_name_is_a_text(user: Any, report_of: MakeReport) -> None:
    make_job(user, job_id="-1+1", at=START, task='=HYPERLINK("http://evil")')

    [row] = _rows(report_of())

    assert (row["id"], row["task"]) == ("'-1+1", '\'=HYPERLINK("http://evil")')


@pytest.mark.usefixtures("jobs")
def test_a_pdf_has_a_chart_and_a_line_for_each_job(report_of: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    charts: list[Any] = []
    draw = chart.draw

    def keep_line(row: Row) -> str:
        lines.append(row.id)
        return row.id

    def keep_chart(summary: Summary, *, width: float, height: float) -> Any:
        charts.append(draw(summary, width=width, height=height))
        return charts[-1]

    monkeypatch.setattr(pdf_file, "_line", keep_line)
    monkeypatch.setattr(chart, "draw", keep_chart)

    content = path_of(report_of("pdf")).read_bytes()

    assert lines == ["first", "second", "third"]
    [drawn] = charts
    bars = next(each for each in drawn.contents if hasattr(each, "categoryAxis"))
    assert [sum(series) for series in bars.data] == [2, 0, 0, 1]
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")


@pytest.mark.usefixtures("jobs")
def test_a_line_of_a_pdf_fits_the_page() -> None:
    row = Row("i" * 300, "t\n\u2028" * 100, "cpu", "succeeded", 1234, START, START, END)

    line = pdf_file._line(row)

    assert len(line) == sum(width for _, width in pdf_file._COLUMNS) + len(pdf_file._COLUMNS) - 1
    assert line.isprintable()
    width = 0.6 * pdf_file.FONT_SIZE * len(line)  # Courier's characters are 0.6 of its size
    assert width < pdf_file.WIDTH - 2 * pdf_file.MARGIN


def test_it_goes_on_to_the_next_page(user: Any, report_of: MakeReport) -> None:
    _make_many(user, 300)

    content = path_of(report_of("pdf")).read_bytes()

    assert len(re.findall(rb"/Type /Page\b", content)) == 4


def test_a_run_again_leaves_what_one_run_leaves(report_of: MakeReport, tmp_path: Path) -> None:
    report_of()
    report_of()

    assert Report.objects.count() == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_failure_in_the_middle_leaves_the_file_that_was_there(
    user: Any, report_of: MakeReport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_job(user, job_id="one", at=START)
    before = path_of(report_of()).read_bytes()
    make_job(user, job_id="two", at=START)
    monkeypatch.setattr(make_report, "update_state", _fail)

    with pytest.raises(RuntimeError, match="in the middle"):
        report_of()

    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.read_bytes() == before


def test_what_a_killed_attempt_left_is_taken_away_by_the_next(report_of: MakeReport, tmp_path: Path) -> None:
    left = Path(tmp_path, storing.name_of("the-report", kind="csv")).with_suffix(".1.part")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")

    report = report_of()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [path_of(report)]


def test_it_refuses_too_many_jobs(user: Any, report_of: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MOST_ROWS", 2)
    for number in range(3):
        make_job(user, job_id=f"{number}", at=START)

    with pytest.raises(TooMuchError, match="more than 2 jobs"):
        report_of()

    assert not Report.objects.exists()


def test_it_refuses_more_reports_than_are_kept(report_of: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST_KEPT", 1)
    report_of(job_id="one")
    report_of(job_id="one")

    with pytest.raises(TooMuchError, match="delete one"):
        report_of(job_id="two")


def test_a_report_is_somebodys() -> None:
    with pytest.raises(making.NobodysJobsError, match="owned_by"):
        make_report.apply(kwargs={"kind": "csv", "start": START, "end": END}, throw=True)


@pytest.mark.parametrize(("kind", "most_bytes"), [("csv", 8_000_000), ("pdf", 10_000_000)])
def test_it_takes_no_more_memory_for_many_jobs(user: Any, report_of: MakeReport, kind: str, most_bytes: int) -> None:
    """All rows at once would be 20 MB. The PDF's compressed pages stay until its end: some 40 bytes a job."""
    report_of(kind, job_id="warm-up")  # imports and fonts
    _make_many(user, 20_000)

    tracemalloc.start()
    try:
        report = report_of(kind)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert report.rows == Job.objects.count() == 20_000
    assert peak < most_bytes


def _fail(**_state: object) -> None:
    raise RuntimeError("in the middle")

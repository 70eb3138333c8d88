"""A report as PDF: a chart, and then a line for each job.

Each line is one string in a font of fixed width, drawn when its page comes: what is kept until the end is the
compressed content of the PDF's pages, some 40 bytes a job.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import IO

from django.utils import timezone
from reportlab.graphics import renderPDF
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from apps.reports import chart
from apps.reports.scope import Row, Scope
from apps.reports.summary import Summary

WIDTH, HEIGHT = A4
MARGIN = 36.0  # points, as everything here
CHART_HEIGHT = 210.0
FONT_SIZE = 6.4
LINE = 8.4

# name and characters of each column; 131 characters of this size are as wide as the page has room for
_COLUMNS = (("accepted", 19), ("state", 9), ("try", 3), ("wait s", 9), ("run s", 9), ("task", 40), ("job", 36))


def write(file: IO[bytes], *, scope: Scope, person: str, summary: Summary, pages: Iterable[list[Row]]) -> None:
    """Write the whole document; times are in TIME_ZONE."""
    canvas = Canvas(file, pagesize=A4, pageCompression=1, lang="en")
    canvas.setTitle(f"Jobs of {person}")
    canvas.setSubject(f"{scope.start.isoformat()} to {scope.end.isoformat()}")
    top = _draw_head(canvas, scope=scope, person=person, summary=summary)
    y = _draw_titles(canvas, top)
    for page in pages:
        for row in page:
            if y < MARGIN + LINE:
                canvas.showPage()
                y = _draw_titles(canvas, HEIGHT - MARGIN)
            canvas.drawString(MARGIN, y, _line(row))
            y -= LINE
    canvas.showPage()
    canvas.save()


def _draw_head(canvas: Canvas, *, scope: Scope, person: str, summary: Summary) -> float:
    """Title, range and chart; gives where to go on."""
    zone = timezone.get_current_timezone_name()
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(MARGIN, HEIGHT - MARGIN - 12, f"Jobs of {person}")
    canvas.setFont("Helvetica", 9)
    mean = "" if summary.mean_run_s is None else f"; they ran for {summary.mean_run_s:.3g} s on average"
    canvas.drawString(
        MARGIN, HEIGHT - MARGIN - 28, f"accepted from {_moment(scope.start)} to {_moment(scope.end)}, {zone}{mean}"
    )
    drawing = chart.draw(summary, width=WIDTH - 2 * MARGIN, height=CHART_HEIGHT)
    bottom = HEIGHT - MARGIN - 44 - CHART_HEIGHT
    renderPDF.draw(drawing, canvas, MARGIN, bottom)
    return bottom - 10


def _draw_titles(canvas: Canvas, top: float) -> float:
    canvas.setFont("Courier-Bold", FONT_SIZE)
    canvas.drawString(MARGIN, top - LINE, _joined([name for name, _ in _COLUMNS]))
    canvas.setFont("Helvetica", FONT_SIZE)
    canvas.drawRightString(WIDTH - MARGIN, MARGIN / 2, f"page {canvas.getPageNumber()}")
    canvas.setFont("Courier", FONT_SIZE)
    return top - 2 * LINE


def _line(row: Row) -> str:
    wait, run = _seconds(row.created_at, row.started_at), _seconds(row.started_at, row.finished_at)
    return _joined([_moment(row.created_at), row.state, str(row.attempt), wait, run, row.task, row.id])


def _joined(cells: list[str]) -> str:
    return " ".join(_fitted(cell, width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))


def _fitted(text: str, width: int) -> str:
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return f"{shown[: width - 1]}~" if len(shown) > width else shown.ljust(width)


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(since: datetime | None, until: datetime | None) -> str:
    return f"{(until - since).total_seconds():.3f}" if since and until else "-"

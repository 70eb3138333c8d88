"""The chart of a report: how many jobs came when, and what became of them."""

from datetime import datetime

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib.colors import Color, HexColor

from apps.reports.summary import OUTCOMES, Summary

# Told apart by those who see no red or green too (Okabe and Ito's palette).
COLOURS: dict[str, Color] = {
    "succeeded": HexColor("#009E73"),
    "failed": HexColor("#D55E00"),
    "cancelled or expired": HexColor("#999999"),
    "not finished": HexColor("#56B4E9"),
}
_LABELS = 12  # below the bars; more would overlap
_TICKS = 6  # beside them, at whole numbers
_FORMATS = {"hour": "%H:%M", "day": "%d %b", "week": "%d %b"}


def draw(summary: Summary, *, width: float, height: float) -> Drawing:
    """Stacked bars with a legend, in points."""
    drawing = Drawing(width, height)
    drawing.add(String(0, height - 8, f"Jobs accepted per {summary.step}", fontName="Helvetica-Bold", fontSize=9))
    if summary.bars:
        drawing.add(_bars(summary, width=width, height=height))
    drawing.add(_legend(summary, top=height - 4, left=width))
    return drawing


def _bars(summary: Summary, *, width: float, height: float) -> VerticalBarChart:
    chart = VerticalBarChart()
    # at once, because the stubs take each for whole points
    chart.setProperties({"x": 34, "y": 26, "width": width - 40, "height": height - 56})
    chart.data = [[bar[outcome] for bar in summary.bars.values()] for outcome in OUTCOMES]
    chart.categoryAxis.style = "stacked"
    chart.categoryAxis.categoryNames = _labels(list(summary.bars), summary.step)
    chart.categoryAxis.labels.fontSize = chart.valueAxis.labels.fontSize = 7
    chart.categoryAxis.visibleTicks = False
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = "%d"
    chart.valueAxis.visibleGrid = True
    chart.valueAxis.gridStrokeColor = HexColor("#DDDDDD")
    highest = max(1, *(bar.total() for bar in summary.bars.values()))
    chart.valueAxis.valueStep = step = -(-highest // _TICKS)
    chart.valueAxis.valueMax = -(-highest // step) * step
    for index, outcome in enumerate(OUTCOMES):
        chart.bars[index].fillColor = COLOURS[outcome]
        chart.bars[index].strokeColor = None
    return chart


def _labels(begins: list[datetime], step: str) -> list[str]:
    every = -(-len(begins) // _LABELS)
    return [begin.strftime(_FORMATS[step]) if index % every == 0 else "" for index, begin in enumerate(begins)]


def _legend(summary: Summary, *, top: float, left: float) -> Legend:
    legend = Legend()
    legend.setProperties({"x": left, "y": top})
    legend.boxAnchor = "ne"
    legend.columnMaximum, legend.deltax, legend.dxTextSpace = 1, 8, 4
    legend.dx = legend.dy = 6
    legend.fontName, legend.fontSize, legend.alignment = "Helvetica", 7, "right"
    legend.colorNamePairs = [(COLOURS[each], f"{each}: {summary.total(each)}") for each in OUTCOMES]
    return legend

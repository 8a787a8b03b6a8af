"""Draws charts and bars for paper."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Polygon, PolyLine, Rect, String
from reportlab.graphics.shapes import Line as Stroke
from reportlab.lib.units import cm

from raikit.report.axes import Axis, linear
from raikit.report.charts import prepared, x_axis
from raikit.report.pdf_text import BLUE, EDGE, LINES, ORANGE, PLAIN, SOFT, TEXT, paragraph
from raikit.report.words import cut
from stepkit.findings import Chart, Line

_LEFT, _BOTTOM, _CHART_WIDTH, _CHART_HEIGHT = 46.0, 34.0, 11.5 * cm, 5.2 * cm


def draw_bar(
    value: float, span: tuple[float, float] | None, least: float, most: float, width: float
) -> Drawing:
    """Return one bar with its interval.

    Args:
        value: Its length; below 0 it goes to the left.
        span: Its interval; None where it has none.
        least: The least value of all bars, at most 0.
        most: The greatest, at least 0.
        width: Of the room for the bars, in points.
    """

    def across(each: float) -> float:
        return (each - least) / ((most - least) or 1.0) * width

    drawing = Drawing(width, 9)
    start, end = sorted((across(0.0), across(value)))
    colour = BLUE if value >= 0 else ORANGE
    drawing.add(Rect(start, 1, max(end - start, 0.6), 7, fillColor=colour, strokeColor=None))
    if span:
        first, last = across(span[0]), across(span[1])
        drawing.add(Stroke(first, 4.5, last, 4.5, strokeColor=TEXT, strokeWidth=0.9))
        for end in (first, last):
            drawing.add(Stroke(end, 2.5, end, 6.5, strokeColor=TEXT, strokeWidth=0.9))
    return drawing


def draw_chart(chart: Chart) -> list[Any]:
    """Return a chart and its legend."""
    lines = prepared(chart)
    heights = [
        float(value)
        for line in lines
        for values in (line.y, line.low, line.high)
        for value in values
        if value is not None
    ]
    if not heights:
        return [paragraph("There are no values to draw.", "small", soft=True)]
    x, y = x_axis(lines, chart.log_x), linear(heights, 5)
    drawing = Drawing(_CHART_WIDTH, _CHART_HEIGHT)
    _draw_axes(drawing, x, y, chart)
    for place, line in enumerate(lines):
        _draw_line(drawing, line, x, y, LINES[place % len(LINES)])
    return [drawing, *_legend(lines)]


def _across(axis: Axis, value: float | str) -> float:
    return float(_LEFT + axis.share(value) * (_CHART_WIDTH - _LEFT - 12))


def _up(axis: Axis, value: float) -> float:
    return float(_BOTTOM + axis.share(value) * (_CHART_HEIGHT - _BOTTOM - 8))


def _draw_axes(drawing: Drawing, x: Axis, y: Axis, chart: Chart) -> None:
    right, small = _CHART_WIDTH - 12, {"fontName": PLAIN, "fontSize": 6.8, "fillColor": SOFT}
    for value, text in y.ticks:
        height = _up(y, float(value))
        drawing.add(Stroke(_LEFT, height, right, height, strokeColor=EDGE, strokeWidth=0.5))
        drawing.add(String(_LEFT - 4, height - 2.3, text, textAnchor="end", **small))
    drawing.add(Stroke(_LEFT, _BOTTOM, right, _BOTTOM, strokeColor=SOFT, strokeWidth=0.6))
    room = max(4, 60 // max(1, len(x.ticks)))
    for value, text in x.ticks:
        place = _across(x, value)
        short = cut(text, room)
        drawing.add(Stroke(place, _BOTTOM, place, _BOTTOM - 3, strokeColor=SOFT, strokeWidth=0.6))
        drawing.add(String(place, _BOTTOM - 11, short, textAnchor="middle", **small))
    drawing.add(
        String((_LEFT + right) / 2, 8, cut(chart.x_label, 90), textAnchor="middle", **small)
    )


def _draw_line(drawing: Drawing, line: Line, x: Axis, y: Axis, colour: Any) -> None:
    places = [place for place in range(len(line.x)) if line.y[place] is not None]
    points = [(_across(x, line.x[place]), _up(y, float(line.y[place] or 0.0))) for place in places]
    if line.style == "points":
        for across, up in points:
            drawing.add(Circle(across, up, 1.3, fillColor=colour, strokeColor=None))
        return
    if line.low and line.high:
        banded = [p for p in places if line.low[p] is not None and line.high[p] is not None]
        upper = [(_across(x, line.x[p]), _up(y, float(line.high[p] or 0.0))) for p in banded]
        lower = [(_across(x, line.x[p]), _up(y, float(line.low[p] or 0.0))) for p in banded]
        flat = [each for point in [*upper, *reversed(lower)] for each in point]
        if len(banded) > 1:
            shade = colour.clone(alpha=0.16)
            drawing.add(Polygon(flat, fillColor=shade, strokeColor=None))
    if line.style == "step":
        points = _stepped(points)
    flat = [each for point in points for each in point]
    dotted = line.style == "dotted"
    if len(points) > 1:
        drawing.add(
            PolyLine(
                flat,
                strokeColor=SOFT if dotted else colour,
                strokeWidth=1.0 if dotted else 1.4,
                strokeDashArray=[2, 2] if dotted else None,
            )
        )
    if x.categories and not dotted:
        for across, up in points:
            drawing.add(Circle(across, up, 2, fillColor=colour, strokeColor=None))


def _stepped(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    made = list(points[:1])
    for (_, before), (across, up) in itertools.pairwise(points):
        made += [(across, before), (across, up)]
    return made


def _legend(lines: Sequence[Line]) -> list[Any]:
    if len(lines) < 2:
        return []
    drawing = Drawing(_CHART_WIDTH, 10 * len(lines))
    for place, line in enumerate(lines):
        height = 10 * (len(lines) - place) - 6
        dotted = line.style == "dotted"
        colour = SOFT if dotted else LINES[place % len(LINES)]
        dash = [2, 2] if dotted else None
        drawing.add(
            Stroke(
                _LEFT,
                height,
                _LEFT + 14,
                height,
                strokeColor=colour,
                strokeWidth=1.6,
                strokeDashArray=dash,
            )
        )
        drawing.add(
            String(
                _LEFT + 19,
                height - 2.4,
                cut(line.name, 80),
                fontName=PLAIN,
                fontSize=7,
                fillColor=TEXT,
            )
        )
    return [drawing]

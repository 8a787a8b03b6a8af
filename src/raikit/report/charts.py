"""Draws lines over a common axis as SVG, with the same numbers as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from raikit.report.axes import Axis, categorical, linear, logarithmic
from raikit.report.tables import data_table
from raikit.report.tags import join, tag
from raikit.report.words import NOTHING, cut, number
from stepkit.findings import Chart, Line

#: The drawing's own units; the page stretches it, and on a phone makes its texts greater.
WIDTH, HEIGHT = 480, 290
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 12, 44
#: More points than these are not to be told apart.
MOST_POINTS = 240
MOST_DOTS = 600
MOST_TABLE_ROWS = 40
#: So many colours are told apart.
COLOURS = 8
#: Letters that all ticks of the x axis have room for.
_ROOM = 66
_LONGEST_TICK, _LONGEST_LABEL = 14, 60


class Frame:
    """Where a chart's values are drawn."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x = x
        self.y = y

    def across(self, value: float | str) -> float:
        """Return the place of a value of the x axis."""
        return LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)

    def down(self, value: float) -> float:
        """Return the place of a value of the y axis."""
        return HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)


def draw_chart(chart: Chart) -> Markup:
    """Return a chart: legend, drawing, and its numbers as a table."""
    lines = prepared(chart)
    if not any(value is not None for line in lines for value in line.y):
        return tag("p", "There are no values to draw.", class_="empty")
    frame = Frame(x_axis(lines, chart.log_x), linear(list(_heights(lines))))
    shades = shades_of(lines)
    drawing = tag(
        "svg",
        _axes(frame, chart),
        *(_band(line, frame, shade) for line, shade in zip(lines, shades, strict=True)),
        *(_line(line, frame, shade) for line, shade in zip(lines, shades, strict=True)),
        viewbox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=describe(chart, lines),
        class_="chart",
    )
    return join([_legend(lines), tag("div", drawing, class_="drawing"), _numbers(lines, chart)])


def shades_of(lines: Sequence[Line]) -> list[int]:
    """Return the colour of each line; one without a name is of those of the line before it."""
    shades: list[int] = []
    for place, line in enumerate(lines):
        shades.append(place if line.name or not place else shades[-1])
    return shades


def describe(chart: Chart, lines: Sequence[Line]) -> str:
    """Return in words what is to be seen."""
    parts = []
    for line in lines:
        heights = [value for value in line.y if value is not None]
        if not heights:
            continue
        if line.style == "points":
            parts.append(f"{line.name}: {len(heights)} points")
        else:
            span = f"between {number(min(heights))} and {number(max(heights))}"
            ends = f"from {number(heights[0])} to {number(heights[-1])}"
            parts.append(f"{line.name}: {ends}, {span}")
    return f"{chart.y_label} over {chart.x_label}. {'; '.join(parts)}."


def prepared(chart: Chart) -> list[Line]:
    """Return the lines of a chart that have points, with no more than can be told apart."""
    return [_thinned(line, chart) for line in chart.lines if len(line.x)]


def _thinned(line: Line, chart: Chart) -> Line:
    """Return a line with no more points than can be told apart, and none where x has no place."""
    kept = [
        place
        for place, x in enumerate(line.x)
        if not (chart.log_x and isinstance(x, (int, float)) and x <= 0)
    ]
    most = MOST_DOTS if line.style == "points" else MOST_POINTS
    if len(kept) > most:
        last = len(kept) - 1
        kept = [kept[round(place * last / (most - 1))] for place in range(most)]
    return Line(
        line.name,
        [line.x[place] for place in kept],
        [line.y[place] for place in kept],
        [line.low[place] for place in kept] if line.low else (),
        [line.high[place] for place in kept] if line.high else (),
        line.style,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def x_axis(lines: Sequence[Line], log: bool) -> Axis:
    """Return the common axis of lines: of numbers where all are numbers, else of categories."""
    values = [x for line in lines for x in line.x]
    if not all(_is_number(value) for value in values):
        return categorical([str(value) for value in values])
    numbers = [float(value) for value in values]
    return logarithmic(numbers) if log else linear(numbers, tight=True)


def _heights(lines: Sequence[Line]) -> Iterator[float]:
    for line in lines:
        for values in (line.y, line.low, line.high):
            yield from (float(value) for value in values if value is not None)


def _axes(frame: Frame, chart: Chart) -> Markup:
    parts = []
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value, text in frame.y.ticks:
        y = f"{frame.down(float(value)):.1f}"
        parts.append(tag("line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", text, x=LEFT - 6, y=y, dy="0.32em", text_anchor="end"))
    for value, text in frame.x.ticks:
        x = f"{frame.across(value):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis"))
        short = cut(text, min(_LONGEST_TICK, max(4, _ROOM // len(frame.x.ticks))))
        parts.append(tag("text", short, x=x, y=bottom + 18, text_anchor="middle"))
    middle = (LEFT + right) / 2
    parts.append(tag("line", x1=LEFT, x2=right, y1=bottom, y2=bottom, class_="axis"))
    parts.append(
        tag(
            "text",
            cut(chart.x_label, _LONGEST_LABEL),
            x=middle,
            y=HEIGHT - 6,
            text_anchor="middle",
            class_="label",
        )
    )
    return tag("g", *parts)


def _runs(line: Line, *needed: Sequence[float | None]) -> Iterator[list[int]]:
    """Give the stretches of a line where all that is needed has values."""
    run: list[int] = []
    for place in range(len(line.x)):
        if all(values[place] is not None for values in needed):
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _band(line: Line, frame: Frame, colour: int) -> Markup:
    if not line.low or not line.high:
        return Markup("")
    shapes = []
    for run in _runs(line, line.low, line.high):
        upper = [_point(frame, line.x[place], line.high[place]) for place in run]
        lower = [_point(frame, line.x[place], line.low[place]) for place in reversed(run)]
        points = " ".join([*upper, *lower])
        shapes.append(tag("polygon", points=points, class_=f"band c{colour % COLOURS}"))
    return tag("g", *shapes)


def _point(frame: Frame, x: float | str, y: float | None) -> str:
    return f"{frame.across(x):.1f},{frame.down(float(y or 0.0)):.1f}"


def _line(line: Line, frame: Frame, colour: int) -> Markup:
    shade = f"c{colour % COLOURS}"
    if line.style == "points":
        dots = []
        for x, y in zip(line.x, line.y, strict=True):
            if y is not None:
                across, down = f"{frame.across(x):.1f}", f"{frame.down(y):.1f}"
                dots.append(tag("circle", cx=across, cy=down, r=2.4))
        return tag("g", *dots, class_=f"dots {shade}")
    path = []
    for run in _runs(line, line.y):
        for number_, place in enumerate(run):
            across, down = _point(frame, line.x[place], line.y[place]).split(",")
            if number_ == 0:
                path.append(f"M{across} {down}")
            elif line.style == "step":
                path.append(f"H{across}V{down}")
            else:
                path.append(f"L{across} {down}")
    style = "dotted" if line.style == "dotted" else shade
    marks = []
    if frame.x.categories and line.style != "dotted":
        marks = [
            tag("circle", cx=_point(frame, x, y).split(",")[0], cy=f"{frame.down(y):.1f}", r=3)
            for x, y in zip(line.x, line.y, strict=True)
            if y is not None
        ]
    return tag("g", tag("path", d="".join(path), class_=f"line {style}"), *marks, class_=shade)


def _legend(lines: Sequence[Line]) -> Markup:
    if len(lines) < 2:
        return Markup("")
    items = [
        tag("li", tag("span", class_=f"key {_key(line, shade)}"), line.name or NOTHING)
        for place, (line, shade) in enumerate(zip(lines, shades_of(lines), strict=True))
        if line.name or not place
    ]
    return tag("ul", *items, class_="legend")


def _key(line: Line, place: int) -> str:
    return "dotted" if line.style == "dotted" else f"{line.style} c{place % COLOURS}"


def _numbers(lines: Sequence[Line], chart: Chart) -> Markup:
    """Return the lines as a table, for those who do not see them, and for the pointer."""
    drawn = [line for line in lines if line.style != "points"]
    if not drawn:
        return Markup("")
    frame = Frame(x_axis(lines, chart.log_x), Axis(0, 1, ()))
    places = list(dict.fromkeys(x for line in drawn for x in line.x))
    if not frame.x.categories:
        places.sort(key=lambda x: float(x))
    if len(places) > MOST_TABLE_ROWS:
        last = len(places) - 1
        chosen = [round(n * last / (MOST_TABLE_ROWS - 1)) for n in range(MOST_TABLE_ROWS)]
        places = [places[place] for place in chosen]
    heights = [dict(zip(line.x, line.y, strict=True)) for line in drawn]
    rows = [(x, *(values.get(x) for values in heights)) for x in places]
    marks = [f"{frame.across(x):.1f}" for x in places]
    table = data_table([chart.x_label, *(line.name for line in drawn)], rows, marks=marks)
    return tag("details", tag("summary", "The numbers"), table, class_="numbers")

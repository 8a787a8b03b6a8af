"""Draws what is a table to a reader: tables, bars, and heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from raikit.report.tags import join, tag
from raikit.report.words import NOTHING, number
from stepkit.findings import Bars, Cell, Grid, Table

#: Rows from which on a table is scrolled within the page.
LONG = 14
LONGEST_WORD = 24


def draw_table(table: Table, most_rows: int) -> Markup:
    """Return a table; of one that is longer than `most_rows`, its first rows."""
    rows = table.rows[:most_rows]
    left_out = len(table.rows) - len(rows)
    drawn = data_table(table.head, rows, table.formats, sorted_by=table.sorted_by, sortable=True)
    if not left_out:
        return drawn
    note = f"{left_out:,} more rows are in the files of the step."
    return join([drawn, tag("p", note, class_="note")])


def data_table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    formats: Mapping[str, str] | None = None,
    *,
    sorted_by: str = "",
    sortable: bool = False,
    marks: Sequence[str] = (),
) -> Markup:
    """Return a table in a frame that is scrolled where the table is wider or longer.

    Args:
        head: Names of the columns.
        rows: As many cells each.
        formats: Of numbers, by the column's name.
        sorted_by: The column that the rows are sorted by.
        sortable: Whether the reader may sort it.
        marks: Of each row, where it is in a drawing.
    """
    numeric = [
        all(cell is None or _is_number(cell) for cell in column)
        and any(cell is not None for cell in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(head)
    cells = [
        tag(
            "th",
            name,
            scope="col",
            class_="n" if is_numeric else None,
            aria_sort=_direction(rows, place) if name == sorted_by else None,
        )
        for place, (name, is_numeric) in enumerate(zip(head, numeric, strict=True))
    ]
    body = [
        tag(
            "tr",
            *(
                _cell(cell, (formats or {}).get(name, ""), is_numeric)
                for name, cell, is_numeric in zip(head, row, numeric, strict=True)
            ),
            data_at=marks[place] if marks else None,
        )
        for place, row in enumerate(rows)
    ]
    table = tag(
        "table",
        tag("thead", tag("tr", *cells)),
        tag("tbody", *body),
        class_="sortable" if sortable and len(rows) > 1 else None,
    )
    return framed(table, f"table of {', '.join(head)}", is_long=len(rows) > LONG)


def framed(table: Markup, name: str, *, is_long: bool = False) -> Markup:
    """Put what may be wider than a phone in a frame that is scrolled, by keyboard too."""
    style = "scroll long" if is_long else "scroll"
    return tag("div", table, class_=style, role="region", aria_label=name, tabindex=0)


def _direction(rows: Sequence[Sequence[Cell]], place: int) -> str | None:
    present = [row[place] for row in rows if row[place] is not None]
    if len(present) < 2:
        return None
    return "ascending" if str(present[0]) != str(present[-1]) and _rises(present) else "descending"


def _rises(values: Sequence[Cell]) -> bool:
    first, last = values[0], values[-1]
    if isinstance(first, (int, float)) and isinstance(last, (int, float)):
        return first < last
    return str(first) < str(last)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Cell, form: str, is_numeric: bool) -> Markup:
    text = number(value, form)
    if not is_numeric:
        # A digest may be broken anywhere, a word may not.
        is_wide = any(len(word) > LONGEST_WORD for word in text.split())
        return tag("td", text, class_="w" if is_wide else None)
    exact = None if value is None else repr(value)
    return tag("td", text, class_="n", data_v=exact)


def draw_bars(bars: Bars, most_rows: int) -> Markup:
    """Return horizontal bars with their values, as a table."""
    count = min(len(bars.values), most_rows)
    values = [float(value) for value in bars.values[:count]]
    if not values:
        return tag("p", "There are no values to draw.", class_="empty")
    low = [float(value) for value in bars.low[:count]]
    high = [float(value) for value in bars.high[:count]]
    least, most = min(0.0, *values, *low), max(0.0, *values, *high)
    span = most - least or 1.0

    def share(value: float) -> str:
        return f"{100 * (value - least) / span:.1f}%"

    rows = []
    for place in range(count):
        value = values[place]
        start, end = sorted((0.0, value))
        width = f"{100 * (end - start) / span:.1f}%"
        style = f"left:{share(start)};width:{width}"
        parts = [tag("span", class_="fill minus" if value < 0 else "fill", style=style)]
        text = number(value)
        if low and high:
            reach = f"{100 * (high[place] - low[place]) / span:.1f}%"
            parts.append(
                tag("span", class_="whisker", style=f"left:{share(low[place])};width:{reach}")
            )
            text = f"{text} ({number(low[place])} to {number(high[place])})"
        if least < 0 < most:
            parts.append(tag("span", class_="zero", style=f"left:{share(0.0)}"))
        track = tag("span", *parts, class_="track", aria_hidden="true")
        shown = tag("td", text, class_="n", role="cell")
        rows.append(
            tag(
                "tr",
                tag("th", bars.names[place], scope="row", role="rowheader"),
                tag("td", track, role="cell"),
                shown,
                role="row",
            )
        )
    head = tag(
        "tr",
        tag("th", tag("span", "Name", class_="unseen"), scope="col", role="columnheader"),
        tag("th", bars.label, scope="col", role="columnheader"),
        tag("th", "Value", scope="col", class_="n", role="columnheader"),
        role="row",
    )
    # On a phone its rows are laid out as a grid, which without the roles would be no table.
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        tag("tbody", *rows, role="rowgroup"),
        class_="bars",
        role="table",
    )


def draw_grid(grid: Grid) -> Markup:
    """Return a heat map as a table, each cell with its value and how many rows it stands on."""
    present = [value for row in grid.values for value in row if value is not None]
    least, most = (min(present), max(present)) if present else (0.0, 1.0)
    rows = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            *(
                _heat(value, count, grid.format, least, most)
                for value, count in zip(values, counts, strict=True)
            ),
        )
        for name, values, counts in zip(grid.y, grid.values, grid.counts, strict=True)
    ]
    corner = f"{grid.y_label} (down), {grid.x_label} (across)"
    head = tag(
        "tr", tag("th", corner, scope="col"), *(tag("th", name, scope="col") for name in grid.x)
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="heat")
    return framed(table, f"heat map of {grid.y_label} and {grid.x_label}")


def _heat(value: float | None, count: int, form: str, least: float, most: float) -> Markup:
    if value is None:
        return tag("td", NOTHING)
    share = (value - least) / (most - least) if most > least else 0.0
    rows = tag("small", f"{count:,} rows")
    return tag("td", number(value, form), " ", rows, style=f"--v:{share:.2f}")

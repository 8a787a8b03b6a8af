"""Draws what each threshold of a score costs: a slider, the confusion matrix, rates, and cost."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from raikit.report.axes import Axis, linear
from raikit.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from raikit.report.tables import framed
from raikit.report.tags import tag
from raikit.report.words import number
from stepkit.findings import Thresholds

#: A slider has no more steps than these.
MOST_STEPS = 200
#: The rates that are shown, with what they are of the four counts; `page.js` has the same.
RATES = (
    ("Precision", "of those taken for {positive}, how many are", "precision"),
    ("Recall", "of those that are {positive}, how many are found", "recall"),
    ("False alarms", "of the others, how many are taken for {positive}", "alarms"),
    ("Accuracy", "how many are predicted rightly", "accuracy"),
    ("Selected", "how many are taken for {positive}", "selected"),
)


def rates_of(tp: float, fp: float, fn: float, tn: float) -> dict[str, float | None]:
    """Return the rates that four counts give; None where there is nothing to divide by."""
    total = tp + fp + fn + tn

    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    return {
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "alarms": share(fp, fp + tn),
        "accuracy": share(tp + tn, total),
        "selected": share(tp + fp, total),
    }


def begin_at(block: Thresholds) -> int:
    """Return the place of the threshold that is nearest to the chosen one."""
    return min(
        range(len(block.threshold)), key=lambda place: abs(block.threshold[place] - block.chosen)
    )


def draw_thresholds(block: Thresholds) -> Markup:
    """Return the slider with what it moves, as it is at the threshold that it begins at."""
    if not block.threshold:
        return tag("p", "There are no thresholds to choose from.", class_="empty")
    block = _thinned(block)
    start = begin_at(block)
    given = {
        "threshold": [round(value, 6) for value in block.threshold],
        **{name: list(getattr(block, name)) for name in ("tp", "fp", "fn", "tn")},
    }
    return tag(
        "div",
        _controls(block, start),
        tag("div", _matrix(block, start), _rates(block, start), class_="pair"),
        _cost(block, start),
        class_="slider",
        data_counts=json.dumps(given, separators=(",", ":"), allow_nan=False),
    )


def _thinned(block: Thresholds) -> Thresholds:
    """Return so many thresholds as a slider has steps, rising, the chosen one among them."""
    order = sorted(range(len(block.threshold)), key=lambda place: block.threshold[place])
    if len(order) > MOST_STEPS:
        last = len(order) - 1
        kept = {order[round(n * last / (MOST_STEPS - 1))] for n in range(MOST_STEPS)}
        kept.add(begin_at(block))
        order = [place for place in order if place in kept]

    def chosen(values: Sequence[float]) -> list[float]:
        return [values[place] for place in order]

    return Thresholds(
        chosen(block.threshold),
        chosen(block.tp),
        chosen(block.fp),
        chosen(block.fn),
        chosen(block.tn),
        block.positive,
        block.chosen,
        block.cost_fp,
        block.cost_fn,
    )


def _controls(block: Thresholds, start: int) -> Markup:
    last = len(block.threshold) - 1
    slider = tag(
        "label",
        "Threshold ",
        tag("output", number(block.threshold[start], ".3f"), data_out="threshold"),
        tag("input", type="range", min=0, max=last, step=1, value=start, data_in="place"),
    )
    costs = [
        tag(
            "label",
            text,
            tag("input", type="number", min=0, step="any", value=f"{cost:g}", data_in=name),
        )
        for text, name, cost in (
            ("Cost of a false alarm ", "cost_fp", block.cost_fp),
            ("Cost of a miss ", "cost_fn", block.cost_fn),
        )
    ]
    button = tag("button", "Go to the cheapest threshold", type="button", data_in="cheapest")
    return tag("div", slider, *costs, button, class_="controls needs-script")


def _count(block: Thresholds, name: str, start: int) -> Markup:
    value = number(round(getattr(block, name)[start]), ",d")
    return tag("td", value, class_="n", data_out=name)


def _matrix(block: Thresholds, start: int) -> Markup:
    positive = block.positive
    head = tag(
        "tr",
        tag("td"),
        tag("th", f"predicted {positive}", scope="col", class_="n"),
        tag("th", "predicted other", scope="col", class_="n"),
    )
    rows = (
        (f"is {positive}", "tp", "fn"),
        ("is other", "fp", "tn"),
    )
    body = [
        tag("tr", tag("th", name, scope="row"), *(_count(block, each, start) for each in cells))
        for name, *cells in rows
    ]
    table = tag(
        "table",
        tag("caption", "Confusion matrix"),
        tag("thead", head),
        tag("tbody", *body),
        class_="matrix",
    )
    return framed(table, "confusion matrix")


def _rates(block: Thresholds, start: int) -> Markup:
    counts = {name: getattr(block, name)[start] for name in ("tp", "fp", "fn", "tn")}
    rates = rates_of(**counts)
    rows = [
        tag(
            "tr",
            tag(
                "th", name, " ", tag("small", meaning.format(positive=block.positive)), scope="row"
            ),
            tag("td", number(rates[key], ".1%"), class_="n", data_out=key),
        )
        for name, meaning, key in RATES
    ]
    cost = counts["fp"] * block.cost_fp + counts["fn"] * block.cost_fn
    rows.append(
        tag(
            "tr",
            tag("th", "Cost ", tag("small", "of all false alarms and misses"), scope="row"),
            tag("td", number(cost, ",.0f"), class_="n", data_out="cost"),
        )
    )
    return tag("table", tag("caption", "What follows from it"), tag("tbody", *rows))


def _cost(block: Thresholds, start: int) -> Markup:
    """Return the cost over the threshold; `page.js` draws it anew when a cost is changed."""
    axis = linear(list(block.threshold), tight=True)
    costs = [
        fp * block.cost_fp + fn * block.cost_fn for fp, fn in zip(block.fp, block.fn, strict=True)
    ]
    most = max(costs) or 1.0
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT

    def across(value: float) -> float:
        return LEFT + axis.share(value) * (right - LEFT)

    points = [
        f"{across(value):.1f} {bottom - cost / most * (bottom - TOP):.1f}"
        for value, cost in zip(block.threshold, costs, strict=True)
    ]
    here = f"{across(block.threshold[start]):.1f}"
    drawing = tag(
        "svg",
        *_frame(axis, number(most, ",.0f")),
        tag("path", d="M" + "L".join(points), class_="line c1", data_out="curve"),
        tag("line", x1=here, x2=here, y1=TOP, y2=bottom, class_="here", data_out="here"),
        viewbox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=_described(block, costs),
        class_="chart",
        data_box=f"{LEFT} {right} {TOP} {bottom}",
    )
    return tag("div", drawing, class_="drawing")


def _frame(axis: Axis, most: str) -> list[Markup]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [tag("line", x1=LEFT, x2=right, y1=bottom, y2=bottom, class_="axis")]
    for value, text in axis.ticks:
        x = f"{LEFT + axis.share(value) * (right - LEFT):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis"))
        parts.append(tag("text", text, x=x, y=bottom + 18, text_anchor="middle"))
    middle = (LEFT + right) / 2
    end = LEFT - 6
    parts += [
        tag("text", "threshold", x=middle, y=HEIGHT - 6, text_anchor="middle", class_="label"),
        tag("text", "0", x=end, y=bottom, dy="0.32em", text_anchor="end"),
        tag("text", most, x=end, y=TOP, dy="0.32em", text_anchor="end", data_out="most"),
        tag("text", "cost", x=end, y=(TOP + bottom) / 2, text_anchor="end", class_="label"),
    ]
    return parts


def _described(block: Thresholds, costs: Sequence[float]) -> str:
    cheapest = min(range(len(costs)), key=lambda place: costs[place])
    return (
        f"Cost over the threshold: least, {number(costs[cheapest], ',.0f')}, at threshold "
        f"{number(block.threshold[cheapest], '.3f')}."
    )

"""A generalisation check in plain words: sections of the findings, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fit_curves import Curves, mean_of, slope_of, turned
from generalisation_figures import Found
from refitting import Point

from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Chart, Line, Section, Table
from stepkit.metrics import more_is_better
from stepkit.program import markdown_table
from stepkit.resampling import Gain

HEAD = ("metric", "train", "cross-validation", "test", "gap", "95 % interval of the gap")
LEARNING, VALIDATION, COLUMNS = "learning_curve.png", "validation_curve.png", "columns.png"

_MEANING = {
    "fits": "It is fitted as much as it should be",
    "overfits": "It is fitted too closely to its train rows",
    "underfits": "It is not fitted closely enough",
    "undecided": "It cannot be told whether it is fitted as much as it should be",
}
_COLOUR = {"fits": "good", "overfits": "bad", "underfits": "bad", "undecided": "warning"}
_MOST_BARS = 20
#: From here on decimals of a number say nothing.
_LARGE = 100


def shown(value: float, *, signed: bool = False) -> str:
    """Return a number with four decimals; of a hundred and more, without."""
    sign = "+" if signed else ""
    return f"{value:{sign},.0f}" if abs(value) >= _LARGE else f"{value:{sign}.4f}"


def sections_of(found: Found, limit: float) -> list[Section]:
    """Return the sections of the findings.

    Args:
        found: What was found out.
        limit: Power from which a column leaks.
    """
    sections = [_fit_section(found)]
    if found.curves is not None:
        sections.append(_learning_section(found, found.curves))
        if found.curves.validation:
            sections.append(_validation_section(found, found.curves))
    return [*sections, _column_section(found, limit), _row_section(found)]


def comparison_rows(found: Found) -> list[tuple[str | float | None, ...]]:
    """Return train, cross-validation, and test side by side, a row a metric."""
    rows: list[tuple[str | float | None, ...]] = []
    for name in found.metrics:
        gap, curves = found.gaps[name], found.curves
        folds = None
        if curves is not None:
            folds = float(curves.cross_validation.held_out[name].mean())
        train, test = found.train.model.metrics[name], found.test.model.metrics[name]
        rows.append((name, train, folds, test, gap.mean, _ends(gap.low, gap.high)))
    return rows


def _ends(low: float, high: float) -> str:
    return f"{shown(low, signed=True)} to {shown(high, signed=True)}"


def text_rows(found: Found) -> list[tuple[str, ...]]:
    """Return the same as text."""
    return [
        tuple(
            "-" if cell is None else cell if isinstance(cell, str) else shown(cell) for cell in row
        )
        for row in comparison_rows(found)
    ]


def verdict_words(found: Found) -> str:
    """Return the verdict with its reason and advice, as sentences."""
    judged = found.judgement
    advice = f" {judged.advice[0].upper()}{judged.advice[1:]}." if judged.advice else ""
    return f"{_MEANING[judged.verdict]}: {judged.reason}.{advice}"


def _fit_section(found: Found) -> Section:
    metric, gap = found.metric, found.gaps[found.metric]
    train, test = found.train.model.metrics[metric], found.test.model.metrics[metric]
    words = [
        verdict_words(found),
        "A model should do about as well on rows that it has never seen as on those that it was "
        f"trained on. By {metric} it comes to {shown(train)} on train rows and to {shown(test)} on "
        f"test rows: a gap of {shown(gap.mean)}, and with 95 % confidence between "
        f"{shown(gap.low)} and {shown(gap.high)}. A flexible model always has some gap. "
        "It is too flexible only where a simpler one does better on new rows, and that is what "
        "was tried.",
        f"Cross-validation: {_how_folded(found)}",
    ]
    words += [f"Left out: {note}." for note in found.notes]
    comparison = Table(
        HEAD,
        comparison_rows(found),
        {},
        caption="The gap is above 0 where the model is worse on test rows.",
    )
    blocks: list[Block] = [comparison, _alternatives(found)]
    return Section(
        "Is the model fitted as much as it should be?",
        words,
        blocks,
        _COLOUR[found.judgement.verdict],  # type: ignore[arg-type]
    )


def _how_folded(found: Found) -> str:
    if found.curves is None:
        return f"none, and no curves, since {found.folds}. Only train and test rows are compared."
    rows = found.curves.cross_validation.rows
    return (
        f"the model was fitted anew {found.curves.folds} times, each time on {rows:,} rows, and "
        f"scored on others ({found.folds})."
    )


def _alternatives(found: Found) -> Block:
    evidence, metric = found.evidence, found.metric
    rows: list[tuple[str, Gain, str]] = [
        (evidence.reference.name, evidence.reference.gain, "test rows"),
        ("guessing", found.test.gain(found.test.guess, metric), "test rows"),
    ]
    setting = evidence.setting
    if setting is not None:
        where = found.compared_on
        rows.insert(0, (f"the model with {setting.name}", setting.gain, where))
    return Bars(
        names=[f"{name} ({where})" for name, _, where in rows],
        values=[gain.mean for _, gain, _ in rows],
        low=[gain.low for _, gain, _ in rows],
        high=[gain.high for _, gain, _ in rows],
        label=f"gain in {metric} over the model; to the right is better than it",
        caption="Would something else do better?",
    )


def learning_chart(found: Found, curves: Curves) -> Chart:
    """Return the learning curve with its bands, and the references."""
    ends = [curves.learning[0].rows, curves.learning[-1].rows]
    x = [each.rows for each in curves.learning]
    guess = found.test.guess.metrics[found.metric]
    return Chart(
        [
            *_band_lines(curves, curves.learning, x, found.metric),
            Line("guessing", ends, [guess, guess], style="dotted"),
        ],
        x_label="rows that it is fitted on",
        y_label=found.metric,
        caption="Bands: 95 % intervals over the folds.",
        log_x=True,
    )


def validation_chart(found: Found, curves: Curves) -> Chart:
    """Return the validation curve with its bands, the model's own setting marked."""
    name = curves.parameter.name if curves.parameter else ""
    x = [float(next(iter(each.setting.values()))) for each in curves.validation]
    own = curves.parameter.own if curves.parameter else None
    points = list(curves.validation)
    lines = list(_band_lines(curves, points, x, found.metric))
    if curves.own is not None:
        height = float(curves.own.held_out[found.metric].mean())
        if own is None:
            lines.append(
                Line("as it is: no limit", [x[0], x[-1]], [height, height], style="dotted")
            )
        else:
            lines.append(Line("as it is", [float(own)], [height], style="points"))
    rows = points[0].rows
    return Chart(
        lines,
        x_label=name,
        y_label=found.metric,
        caption=f"Each point is fitted on {rows:,} rows. Bands: 95 % intervals over the folds.",
        log_x=min(x) > 0,
    )


def _band_lines(
    curves: Curves, points: Sequence[Point], x: Sequence[float], metric: str
) -> tuple[Line, Line]:
    lines = []
    for name, part in (("train rows", "train"), ("rows held out", "held_out")):
        means = [mean_of(curves, getattr(each, part)[metric]) for each in points]
        lines.append(
            Line(
                name,
                x,
                [each.mean for each in means],
                [each.low for each in means],
                [each.high for each in means],
            )
        )
    return lines[0], lines[1]


def _learning_section(found: Found, curves: Curves) -> Section:
    slope = slope_of(curves, found.metric)
    said = "Whether more rows would help cannot be told: one number of rows only was tried."
    if slope is not None:
        direction = "better" if slope.mean > 0 else "worse"
        sure = "" if slope.low > 0 or slope.high < 0 else ", which may be chance"
        said = (
            f"Each doubling of the rows made it {direction} by {shown(abs(slope.mean))} "
            f"({_ends(slope.low, slope.high)}){sure}, up to "
            f"{curves.learning[-1].rows:,} rows; the model itself had {found.train.rows:,}."
        )
    if len(curves.learning) < 2:  # a line of one point cannot be seen
        return Section("Would more rows make it better?", [said])
    return Section(
        "Would more rows make it better?",
        [
            said,
            "The model was fitted on more and more rows. Where the line of the rows held out still "
            f"{'rises' if more_is_better(found.metric) else 'falls'} at its right end, more rows "
            "would help.",
        ],
        [learning_chart(found, curves)],
    )


def _validation_section(found: Found, curves: Curves) -> Section:
    name = curves.parameter.name if curves.parameter else ""
    best = max(curves.validation, key=lambda each: turned(each.held_out, found.metric).mean())
    value = next(iter(best.setting.values()))
    setting = found.evidence.setting
    is_better = setting is not None and found.evidence.is_better(setting)
    return Section(
        "Would another setting make it better?",
        [
            f"Of other values of {name} {value:.4g} does best on rows held out; compared on "
            f"{found.compared_on}, it is {'' if is_better else 'not '}better than the model as it "
            "is, beyond chance and by more than counts.",
            f"{name} decides how flexible the model is. Where the lines of train rows and of rows "
            "held out part, it is too flexible; where both are low, it is not flexible enough.",
        ],
        [validation_chart(found, curves)],
    )


def _column_section(found: Found, limit: float) -> Section:
    leaking, suspect = (found.columns_that_are(kind) for kind in ("leaking", "suspect"))
    words = []
    if leaking:
        words.append(
            f"{', '.join(leaking)}: alone enough to tell the answer, which leaks. Leave out, or "
            "say that it is to be trusted."
        )
    if suspect:
        words.append(
            f"{', '.join(suspect)}: alone about as good as all columns together. Make sure that it "
            "is known when the model is used."
        )
    if not leaking and not suspect:
        words.append("No column gives the answer away alone.")
    words.append(
        "A column that knows the answer makes a model look excellent until it is used, when the "
        "column is not known yet. So each column was tried alone, on a scale from 0 (guessing) to "
        f"1 (certainty): from {limit:.2f} on it counts as leaking."
    )
    shown = found.columns[:_MOST_BARS]
    rows = [(each.name, each.power, "; ".join(each.notes)) for each in found.columns]
    return Section(
        "Does a column give the answer away?",
        words,
        [
            Bars([each.name for each in shown], [each.power for each in shown], "power alone"),
            Table(("column", "power", "notes"), rows, {"power": ".3f"}, sorted_by="power"),
        ],
        "bad" if leaking else "warning" if suspect else "good",
    )


def _row_section(found: Found) -> Section:
    shared, time, rows = found.shared, found.time, found.test.rows
    whole = int(shared.whole.sum())
    words = [
        f"{whole:,} of {rows:,} test rows ({shared.share:.2%}) are in the train rows, too, and "
        f"{int(shared.features.sum()):,} have the features of one. Of the train rows "
        f"{shared.repeated:.2%} are repeated among themselves: as many may be chance."
    ]
    if shared.near is not None:
        words.append(f"Equal or nearly so in all numbers: {int(shared.near.sum()):,}.")
    if found.groups is not None:
        words.append(f"{int(found.groups.sum()):,} test rows are of a group that has train rows.")
    if time is None:
        words.append("No column of times, so the order of time was not looked at.")
    else:
        words.append(
            f"By {time.column}, {time.early:,} of {time.rows:,} test rows are earlier than the "
            "last train row. A model of what comes must be tested on what came later."
        )
    in_groups = found.groups is not None and bool(found.groups.any())
    early = time is not None and time.early > 0
    is_bad = shared.is_leaking or in_groups or (early and time is not None and time.is_named)
    return Section(
        "Are the test rows new to it?",
        words,
        verdict="bad" if is_bad else "warning" if early or whole else "good",
    )


def markdown(found: Found, figures: Sequence[Figure], sections: Sequence[Section]) -> str:
    """Return the report as Markdown."""
    pictures = {
        "Would more rows make it better?": LEARNING,
        "Would another setting make it better?": VALIDATION,
        "Does a column give the answer away?": COLUMNS,
    }
    parts = [f"# Generalisation of {found.model.target}: {found.judgement.verdict}"]
    for number, section in enumerate(sections):
        parts += [f"## {section.title}", *section.words]
        if number == 0:
            parts.append(markdown_table(HEAD, text_rows(found)))
        if section.title in pictures:
            parts.append(f"![{section.title}]({pictures[section.title]})")
    rows = [
        (
            f"{each.name}, {each.cohort}" if each.cohort else each.name,
            "-" if each.value is None else shown(each.value),
            ""
            if each.low is None or each.high is None
            else f"{shown(each.low)} to {shown(each.high)}",
            each.note,
        )
        for each in figures
    ]
    parts += ["## Figures", markdown_table(("figure", "value", "95 % interval", "note"), rows)]
    return "\n\n".join(parts) + "\n"

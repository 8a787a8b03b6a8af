"""What an explanation found of columns, rows, and the model as a whole, to be explored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raikit.explanation.documents import (
    plain_value,
    shown_value,
    strongest,
    usual_outputs,
)
from raikit.explanation.effects import Effect
from raikit.explanation.explain import Explanation, Local
from raikit.explanation.glassbox import Term
from stepkit.findings import (
    Bars,
    Block,
    Cell,
    Chart,
    Choice,
    Grid,
    Line,
    Node,
    Section,
    Table,
    Tree,
)

#: Columns, classes, and terms that a chart has room for.
MOST_BARS, MOST_LINES, MOST_TERMS = 12, 6, 12
#: Fidelities from here on make the small tree a fair summary.
FAITHFUL = 0.8


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{share:.0%}" if share >= 0.01 or share == 0 else "under 1%"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def unit_words(explanation: Explanation) -> str:
    """Return what the unit of contributions means."""
    unit, subject = explanation.shap.unit, explanation.subject
    if unit == "log_odds" and subject.positive is not None:
        return (
            f"Contributions are in log-odds of {subject.outputs[0]}: from an even chance, +1 makes "
            "it 73 %, +2 makes it 88 %, and -1 makes it 27 %."
        )
    if unit == "log_odds":
        return "Contributions are in log-odds of each class against the average class."
    if unit == "probability":
        return "Contributions are in probability: +0.1 is ten percentage points more."
    if unit == "log_value":
        return f"Contributions are to the natural logarithm of {subject.target}: +0.1 is 11 % more."
    return f"Contributions are in the unit of {subject.target}."


def what_columns_do(explanation: Explanation) -> Section:
    """Return the section on effects, one column to be picked."""
    words = [
        "Pick a column to see how the prediction changes with it. The first chart sets the column "
        "to each value in every row and shows the mean prediction; the second does so for single "
        "rows: lines that run apart say that the effect depends on other columns.",
        "The third (accumulated local effects) only compares neighbouring values, among rows that "
        "really have them, so it holds where columns go together. Where the first and the third "
        "differ in shape, trust the third. All show what the model does, not what would happen in "
        "the world if the value were changed.",
    ]
    options = {
        name: _effect_blocks(explanation, effect) for name, effect in explanation.effects.items()
    }
    return Section("What each column does", words, [Choice("column", options)])


def _effect_blocks(explanation: Explanation, effect: Effect) -> list[Block]:
    subject = explanation.subject
    unit = subject.unit_in_words(effect.unit)
    style = "line" if effect.ordered else "points"
    single = len(subject.outputs) == 1
    outputs = usual_outputs(explanation, MOST_LINES)
    notes = [f"{effect.missing:,} rows have no value"] if effect.missing and effect.ordered else []
    if effect.left_out:
        notes.append(f"{effect.left_out} rarer categories are left out")
    lines = [
        Line(
            output,
            effect.grid,
            effect.dependence[:, place].tolist(),
            effect.low[:, place].tolist() if single else (),
            effect.high[:, place].tolist() if single else (),
            style,  # type: ignore[arg-type]
        )
        for place, output in outputs
    ]
    band = " with the range of the middle 80 % of rows" if single else ""
    found: list[Block] = [
        Chart(
            lines,
            effect.column,
            f"mean {unit}",
            "; ".join([f"Partial dependence{band}", *notes]),
        )
    ]
    if effect.curves.size:
        first, name = outputs[0]
        own = [
            Line("single rows" if place == 0 else "", effect.grid, curve.tolist())
            for place, curve in enumerate(effect.curves[:, :, first])
        ]
        mean = Line("mean", effect.grid, effect.dependence[:, first].tolist(), style="dotted")
        found.append(
            Chart(
                [*own, mean],
                effect.column,
                f"{unit} of {name}" if subject.classes else unit,
                f"ICE: {len(effect.curves)} rows of the training data",
            )
        )
    accumulated = [
        Line(output, effect.ale_grid, effect.ale[:, place].tolist(), style=style)  # type: ignore[arg-type]
        for place, output in outputs
    ]
    order = "" if effect.ordered else "; categories in the order of their likeness"
    caption = f"Accumulated local effects (ALE) over {effect.ale_rows:,} rows{order}"
    return [*found, Chart(accumulated, effect.column, f"change of {unit}", caption)]


def single_rows(explanation: Explanation) -> Section:
    """Return the section on single rows, one to be picked."""
    why = {"chosen": "chosen", "typical": "typical", "worst": "worst predicted"}
    kinds = list(dict.fromkeys(why[each.why] for each in explanation.local))
    words = [
        f"Pick a row of the test data ({listed(kinds)}) to see what moved its prediction away from "
        "that of an average row. Bars to the right raise it, bars to the left lower it. "
        f"{unit_words(explanation)}"
    ]
    if "worst predicted" in kinds:
        words.append(
            "The worst-predicted rows are those where the model was surest of something false. If "
            "they have something in common, a column may be missing, or their labels be wrong."
        )
    options = {
        f"row {each.row} ({why[each.why]}: {_verdict(each)})": _row_blocks(explanation, each)
        for each in explanation.local
    }
    return Section("Single predictions", words, [Choice("row", options)])


def _verdict(local: Local) -> str:
    if local.probability is None:
        return f"{_short(local.predicted)} for {_short(local.truth)}"
    right = "right" if local.predicted == local.truth else "wrong"
    return f"{local.predicted}, {right}"


def _short(value: float | str) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else value


def _row_blocks(explanation: Explanation, local: Local) -> list[Block]:
    subject = explanation.subject
    given = local.contributions[:, local.output]
    output = subject.outputs[local.output]
    top = strongest(
        [f"{name} = {shown_value(local.values[name])}" for name in subject.names], given, MOST_BARS
    )
    unit = subject.unit_in_words(explanation.shap.unit)
    base, score = explanation.shap.base[local.output], local.scores[local.output]
    surety = f" with {local.probability:.1%}" if local.probability is not None else ""
    caption = (
        f"Predicted {_short(local.predicted)}{surety}, in truth {_short(local.truth)}. From "
        f"{base:.4g} for the average row to {score:.4g} for this one."
    )
    table: list[tuple[Cell, ...]] = [
        (name, plain_value(local.values[name]), float(given[place]))
        for place, name in enumerate(subject.names)
    ]
    ordered = [table[place] for place in np.argsort(-np.abs(given), kind="stable")]
    return [
        Bars(
            [name for name, _ in top],
            [value for _, value in top],
            f"contribution to {output} ({unit})",
            caption=caption,
        ),
        Table(("column", "value", "contribution"), ordered, {"contribution": "+.4g"}),
    ]


def in_a_nutshell(explanation: Explanation) -> Section:
    """Return the section on the surrogate tree."""
    surrogate, subject = explanation.surrogate, explanation.subject
    leaves = sum(each.is_leaf for each in surrogate.branches)
    output = 0 if len(subject.outputs) == 1 else int(surrogate.branches[0].scores.argmax())
    fidelity = surrogate.fidelity
    if fidelity is None:
        words = ["The model says the same of every test row, so there is nothing to imitate."]
    else:
        telling = (
            "a fair summary" if fidelity >= FAITHFUL else "only the coarse outline, no substitute"
        )
        same = surrogate.same_class
        much = "none" if fidelity <= 0 else f"{fidelity:.0%}"
        words = [
            f"A tree of {leaves} leaves was taught to imitate the model. On "
            f"{surrogate.test_rows:,} test rows that it was not taught on, it explains "
            f"{much} of the differences between the model's predictions"
            + (f" and names the same class for {same:.0%} of the rows" if same is not None else "")
            + f". So it is {telling} of what the model does."
        ]
    nodes = [
        Node(
            each.parent,
            each.condition,
            float(each.scores[output]),
            each.rows,
            f"{each.rows / surrogate.train_rows:.0%} of rows",
        )
        for each in surrogate.branches
    ]
    what = f"probability of {subject.outputs[output]}" if subject.classes else subject.target
    caption = f"Mean {what} that the model gives to the training rows of each branch"
    tree = Tree(nodes, ".1%" if subject.classes else ",.4g", caption)
    return Section("The model in a nutshell", words, [tree])


def own_terms(explanation: Explanation) -> Section:
    """Return the section on the terms of an EBM, one to be picked."""
    pairs = sum(len(term.columns) > 1 for term in explanation.terms)
    total = sum(term.importance for term in explanation.terms) or 1.0
    share = sum(term.importance for term in explanation.terms if len(term.columns) > 1) / total
    words = [
        "This model is an explainable boosting machine: its score is a sum of one curve a column "
        f"and {pairs} maps of pairs of columns, and these are exactly what it computes with. "
        f"The pairs make up {percent(share)} of it.",
        "Bands are one standard deviation over the models that the curve is the mean of: where "
        "they are wide, few rows speak.",
    ]
    options = {
        term.name: [
            _curve(explanation, term) if len(term.columns) == 1 else _map(explanation, term)
        ]
        for term in explanation.terms[:MOST_TERMS]
    }
    names = [term.name for term in explanation.terms[:MOST_TERMS]]
    strengths = [term.importance for term in explanation.terms[:MOST_TERMS]]
    unit = _term_unit(explanation)
    bars = Bars(names, strengths, f"mean size over the training rows ({unit})")
    return Section("The model's own curves", words, [bars, Choice("term", options)])


def _term_unit(explanation: Explanation) -> str:
    return explanation.subject.unit_in_words("log_odds" if explanation.subject.classes else "value")


def _curve(explanation: Explanation, term: Term) -> Chart:
    lines = []
    for place, output in usual_outputs(explanation, MOST_LINES):
        x, y, deviation = term.curve(place)
        low, high = (y - deviation).tolist(), (y + deviation).tolist()
        style = "points" if term.bounds[0] is None else "step"
        lines.append(Line(output, x, y.tolist(), low, high, style))  # type: ignore[arg-type]
    return Chart(lines, term.name, f"adds to the score ({_term_unit(explanation)})")


def _map(explanation: Explanation, term: Term) -> Grid:
    kept = [np.flatnonzero(term.counts.sum(axis=1 - axis) > 0) for axis in (0, 1)]
    scores = term.scores[np.ix_(*kept)][:, :, 0]
    counts = term.counts[np.ix_(*kept)]
    first, second = (explanation.subject.names[column] for column in term.columns)
    return Grid(
        x=[term.bins[1][place] for place in kept[1]],
        y=[term.bins[0][place] for place in kept[0]],
        values=[
            [float(score) if count > 0 else None for score, count in zip(*row, strict=True)]
            for row in zip(scores, counts, strict=True)
        ],
        counts=[[round(count) for count in row] for row in counts],
        x_label=second,
        y_label=first,
        format="+.2f",
        caption=f"Adds to {explanation.subject.outputs[0]} ({_term_unit(explanation)})",
    )

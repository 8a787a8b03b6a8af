"""What a reader sees of a classification: how good it is, its curves, and its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from evaluation_figures import BY_CLASS, Judged
from evaluation_words import figure_table, number, percent_between, share
from plots import curves_of

from stepkit.confusion import RATES
from stepkit.costs import CostCurve, Prices
from stepkit.figures import Figure
from stepkit.findings import Block, Cell, Chart, Grid, Line, Section, Table, Thresholds
from stepkit.metrics import Floats
from stepkit.model import Scores

Verdict = Literal["good", "warning", "bad", ""]

#: Points of a curve.
MOST_POINTS = 200
#: Of more classes than this, curves are not drawn one by one, and the matrix is not shown.
MOST_CLASSES = 8
MOST_IN_MATRIX = 30
#: Share of the rows from which the positive class is hardly the one that is looked for.
USUAL = 0.8


def sections(
    scores: Scores, target: str, judged: Judged, by_class: Sequence[Figure], prices: Prices
) -> list[Section]:
    """Return the sections: how good, curves, and, of two classes, the threshold.

    Args:
        scores: The model's predictions.
        target: What is predicted.
        judged: Its figures.
        by_class: Those of each of more than two classes.
        prices: What errors cost.
    """
    found = [_headline(scores, target, judged, by_class)]
    if judged.costs is not None:
        found.append(_threshold(scores, judged, judged.costs, prices))
    if scores.has_probabilities and curves_of(scores):
        found.append(_curves(scores))
    return found


def _headline(scores: Scores, target: str, judged: Judged, by_class: Sequence[Figure]) -> Section:
    by_name = {each.name: each for each in judged.headline}
    accuracy = by_name["accuracy"]
    assert accuracy.value is not None
    counts = scores.matrix.sum(axis=1)
    usual = int(counts.argmax())
    words = [
        f"It says rightly which of {len(scores.classes)} classes of {target!r} a row is of for "
        f"{share(accuracy.value)}{percent_between(accuracy)} of {accuracy.sample:,} test rows; "
        f"always saying {scores.classes[usual]!r}, the most frequent class, would be right for "
        f"{share(counts[usual] / counts.sum())}.",
        *(_two(scores, by_name) if scores.positive is not None else _more(by_class)),
    ]
    words += champion_words(judged.headline, "auc" if "auc" in by_name else "accuracy")
    blocks: list[Block] = [figure_table(judged.headline, "Every metric, with its interval.")]
    if len(scores.classes) <= MOST_IN_MATRIX:
        blocks.append(_matrix(scores))
    blocks.append(_class_table(scores, by_class))
    return Section(
        "How good are its predictions?",
        words,
        blocks,
        verdict=verdict(by_name, len(scores.classes), float(counts[usual] / counts.sum())),
    )


def verdict(figures: Mapping[str, Figure], classes: int, usual: float) -> Verdict:
    """Return `bad` where it is not better than guessing beyond chance, else what the champion says.

    Guessing has a balanced accuracy of 1 / classes; the interval must lie above it. Where all
    resamples agree, as of a model without an error, there is none: then the interval of the
    accuracy (Wilson's) must lie above what the most frequent class has.

    Args:
        figures: By name.
        classes: How many there are.
        usual: Share of the most frequent class.
    """
    balanced, accuracy = figures["balanced_accuracy"], figures["accuracy"]
    low, guessing = balanced.low, 1 / classes
    if low is None:
        low, guessing = accuracy.low, usual
    if low is None or low <= guessing:
        return "bad"
    return against_champion(figures.get("auc", figures["accuracy"]))


def against_champion(figure: Figure) -> Verdict:
    """Return `good` or `warning` where a figure differs from the champion's beyond chance."""
    other = figure.against
    if other is None or other.low is None or other.high is None:
        return ""
    sign = 1 if figure.better == "more" else -1
    if sign * other.low > 0 and sign * other.high > 0:
        return "good"
    return "warning" if sign * other.low < 0 and sign * other.high < 0 else ""


def champion_words(figures: Sequence[Figure], primary: str) -> list[str]:
    """Return how the model compares with the champion, in words; none without a champion."""
    figure = next((each for each in figures if each.name == primary), None)
    if figure is None or figure.against is None or figure.value is None:
        return []
    other = figure.against
    outcome = {
        "good": "It is better, beyond what chance explains",
        "warning": "It is worse, beyond what chance explains",
        "": "Chance alone may explain the difference",
    }[against_champion(figure)]
    ends = ""
    if other.low is not None and other.high is not None:
        ends = f", {figure.level:.0%} interval {number(other.low)} to {number(other.high)}"
    return [
        f"The champion, version {other.version}, has {primary} {number(other.value)} on the same "
        f"rows, this model {number(figure.value)} (difference {number(other.difference)}{ends}). "
        f"{outcome}."
    ]


def _two(scores: Scores, figures: Mapping[str, Figure]) -> list[str]:
    assert scores.positive is not None
    positive = scores.classes[scores.positive]
    found, right = figures["recall"].value, figures["precision"].value
    said = []
    if found is not None:
        said.append(f"Of 100 rows that are {positive!r} it finds {100 * found:.0f}")
    if right is None:
        said.append(f"it calls no row {positive!r}")
    else:
        said.append(f"of 100 that it calls {positive!r}, {100 * right:.0f} are")
    text = "; ".join(said)
    words = [f"{text[0].upper()}{text[1:]}."]
    if scores.matrix[scores.positive].sum() > USUAL * scores.matrix.sum():
        other = scores.classes[1 - scores.positive]
        words.append(
            f"{positive!r}, the class that most rows are of, is taken for the positive one; where "
            f"{other!r} is what to look for, set positive_label to it."
        )
    area = figures["auc"].value if "auc" in figures else None
    if area is not None:
        words.append(
            f"Given one row that is {positive!r} and one that is not, it ranks the two rightly in "
            f"{100 * area:.1f} of 100 cases (AUC); guessing would in 50."
        )
    return words


def _more(by_class: Sequence[Figure]) -> list[str]:
    recalls = [each for each in by_class if each.name == "recall" and each.value is not None]
    if not recalls:
        return []
    ranked = sorted(recalls, key=lambda each: each.value or 0.0)
    if ranked[0].value == ranked[-1].value:
        return [f"Of each class it finds {share(ranked[0].value or 0.0)}."]
    named = [f"{each.cohort} ({share(each.value or 0.0)})" for each in ranked[:3]]
    return [f"It finds least of {', '.join(named)}; most of {ranked[-1].cohort}."]


def _matrix(scores: Scores) -> Grid:
    counts = scores.matrix
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return Grid(
        scores.classes,
        scores.classes,
        shares.tolist(),
        counts.tolist(),
        "predicted",
        "true",
        caption="Confusion matrix: shares of each true class, and rows.",
    )


def _class_table(scores: Scores, by_class: Sequence[Figure]) -> Table:
    """Return the rates of each class; with intervals where there are figures of it."""
    ends = {(each.name, each.cohort.partition("=")[2]): each for each in by_class}
    head = ["class", "rows"]
    for rate in RATES:
        head.append(rate)
        if by_class and rate in BY_CLASS:
            head += [f"{rate} from", f"{rate} to"]
    rows: list[list[Cell]] = []
    for name, rates in scores.per_class().items():
        row: list[Cell] = [name, int(rates["support"])]
        for rate in RATES:
            row.append(rates[rate])
            figure = ends.get((rate, name))
            if by_class and rate in BY_CLASS:
                row += [figure.low, figure.high] if figure else [None, None]
        rows.append(row)
    formats = {**dict.fromkeys(head[2:], ".1%"), "rows": ",d"}
    return Table(head, rows, formats, "Each class against all others.")


def thinned(curve: Mapping[str, Floats], x: str, y: str) -> tuple[list[float], list[float]]:
    """Return at most `MOST_POINTS` points of a curve, at even steps along it."""
    along = np.cumsum(
        np.abs(np.diff(curve[x], prepend=curve[x][0]))
        + np.abs(np.diff(curve[y], prepend=curve[y][0]))
    )
    places = np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS - 2))
    chosen = np.unique(np.concatenate([[0, len(along) - 1], np.minimum(places, len(along) - 1)]))
    return curve[x][chosen].tolist(), curve[y][chosen].tolist()


def _curves(scores: Scores) -> Section:
    roc, precision = [], []
    for name, (_, curve) in list(curves_of(scores).items())[:MOST_CLASSES]:
        roc.append(Line(name, *thinned(curve, "fpr", "tpr"), style="step"))
        precision.append(Line(name, *thinned(curve, "tpr", "precision")))
    chance = Line("chance", [0.0, 1.0], [0.0, 1.0], style="dotted")
    if scores.positive is not None:
        base = float((scores.truth == scores.positive).mean())
        precision.append(Line("chance", [0.0, 1.0], [base, base], style="dotted"))
    left_out = len(curves_of(scores)) - MOST_CLASSES
    more = f" The first {MOST_CLASSES} classes." if left_out > 0 else ""
    return Section(
        "How well does it tell classes apart?",
        [
            "A model that gives probabilities can be more or less strict. Each point of a curve is "
            "one strictness. In the first chart the nearer to the upper left the better: many are "
            "found with few false alarms. In the second, the further to the upper right the "
            f"better: many are found, and most of those called are right.{more}"
        ],
        [
            Chart(
                [*roc, chance],
                "false positive rate",
                "recall (true positive rate)",
                "ROC: found against false alarms.",
            ),
            Chart(precision, "recall", "precision", "Precision against recall."),
        ],
    )


def _threshold(scores: Scores, judged: Judged, curve: CostCurve, prices: Prices) -> Section:
    assert scores.positive is not None
    assert judged.cost is not None
    positive = scores.classes[scores.positive]
    tried = curve.tried
    equal = prices.false_positive == prices.false_negative
    low, high = curve.best_interval
    now = judged.cost.value or 0.0
    words = [
        f"A row is called {positive!r} from a probability of 0.5 on. Another threshold may serve "
        "better, where missing one is worse than a false alarm, or the other way round.",
        f"With a false positive at {number(prices.false_positive)} and a false negative at "
        f"{number(prices.false_negative)} {'(no costs were given)' if equal else ''} the best "
        f"threshold is {curve.best:.3f} (from {low:.3f} to {high:.3f} on other samples of this "
        f"size). It costs {number(1000 * curve.best_cost)} a 1,000 rows, 0.5 costs "
        f"{number(1000 * now)}. Were the probabilities right, the best would be "
        f"{prices.threshold:.3f}.",
        "The threshold is chosen on these rows; most of what that flatters is added to its cost. "
        "What the model predicts is not changed: set the threshold where its probabilities are "
        "used.",
    ]
    return Section(
        "Which threshold?",
        [" ".join(each.split()) for each in words],
        [
            Thresholds(
                threshold=tried.threshold.tolist(),
                tp=tried.tp.tolist(),
                fp=tried.fp.tolist(),
                fn=tried.fn.tolist(),
                tn=tried.tn.tolist(),
                positive=positive,
                chosen=0.5 if equal else curve.best,
                cost_fp=prices.false_positive,
                cost_fn=prices.false_negative,
            ),
            Chart(
                [
                    Line(
                        "cost",
                        tried.threshold.tolist(),
                        curve.cost.tolist(),
                        curve.low.tolist(),
                        curve.high.tolist(),
                    ),
                    Line("at 0.5", [0.5, 0.5], [0.0, float(curve.high.max())], style="dotted"),
                ],
                f"threshold on the probability of {positive}",
                "mean cost of a row",
                "What a row costs on average, with its interval.",
            ),
        ],
    )

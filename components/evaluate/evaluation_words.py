"""How figures are shown, and what each says in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from stepkit.figures import Figure
from stepkit.findings import Cell, Table

MEANING = {
    "auc": "how often a row of the class ranks above one that is not; 0.5 is chance, 1 perfect",
    "auc_weighted": "the same, averaged by the classes' rows",
    "average_precision": "precision averaged over all recalls; chance is the class's share",
    "average_precision_weighted": "the same, averaged by the classes' rows",
    "accuracy": "share of rows predicted right",
    "error_rate": "share of rows predicted wrong",
    "precision": "of the rows called positive, how many are",
    "recall": "of the positive rows, how many are found",
    "specificity": "of the other rows, how many are left alone",
    "npv": "of the rows called negative, how many are",
    "f1": "precision and recall in one (harmonic mean)",
    "log_loss": "how surprised the probabilities are by the truth; 0 is certain and right",
    "balanced_accuracy": "mean recall of the classes; guessing gives 1 / classes",
    "norm_macro_recall": "the same, moved so that guessing is 0",
    "mcc": "correlation of truth and prediction (Matthews); 0 is chance, 1 perfect",
    "kappa": "agreement beyond chance (Cohen); 0 is chance, 1 perfect",
    "brier": "mean squared error of the probabilities; 0 is certain and right",
    "ece": "how far probabilities are from what comes true, on average (15 equal bins)",
    "mae": "mean size of the error",
    "mse": "mean squared error",
    "rmse": "root of that, in the target's unit: large errors weigh more than in mae",
    "r2": "share of the variance explained; 0 is as good as always saying the mean",
    "median_ae": "half of the errors are smaller",
    "ae_p90": "nine of ten errors are no larger",
    "mape": "mean error as a share of the true value",
    "smape": "mean error as a share of the mean of true and predicted, from 0 to 2",
    "wape": "all errors together as a share of all true values",
    "rmsle": "root of the mean squared error of the logarithms",
    "nmae": "mae as a share of the target's range",
    "nrmse": "rmse as a share of the target's range",
    "explained_variance": "as r2, but a constant error is forgiven",
    "bias": "predicted minus true, on average: above 0, it predicts too much",
    "mase": "error over that of the seasonal naive forecast; below 1 is better than that",
}


def number(value: float) -> str:
    """Return a number with four digits that count, and no exponent where it can be read without."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 1 or size == 0:
        return f"{value:.4g}"
    return f"{value:.4f}" if size >= 0.001 else f"{value:.2g}"


def share(value: float) -> str:
    """Return a share as per cent."""
    return f"{value:.1%}"


def between(figure: Figure) -> str:
    """Return an interval as text; empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{number(figure.low)} to {number(figure.high)}"


def percent_between(figure: Figure) -> str:
    """Return the interval of a share as text, in brackets; empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f" ({figure.level:.0%} interval {figure.low:.1%} to {figure.high:.1%})"


def text_rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return figures as rows of text: name, value, interval."""
    return [
        (each.name, "-" if each.value is None else number(each.value), between(each))
        for each in figures
    ]


def figure_table(figures: Sequence[Figure], caption: str) -> Table:
    """Return figures with intervals, the champion's where there is one, and what each says."""
    has_champion = any(each.against for each in figures)
    head = ["metric", "value", "from", "to"]
    head += ["champion", "difference", "difference from", "difference to"] * has_champion
    rows: list[list[Cell]] = []
    for each in figures:
        row: list[Cell] = [each.name, each.value, each.low, each.high]
        if has_champion:
            other = each.against
            row += [other.value, other.difference, other.low, other.high] if other else [None] * 4
        rows.append([*row, each.note or MEANING.get(each.name, "")])
    return Table([*head, "what it says"], rows, {}, caption=caption)

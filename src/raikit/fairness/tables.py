"""What the comparison of groups found, as tables and bars of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from raikit.fairness.compared import Compared
from stepkit.findings import Bars, Block, Cell, Choice, Table

#: Columns of the table of groups: the figure, what it is called, and its format.
RATES = {
    "selection_rate": "called positive",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "precision": "precision",
    "accuracy": "accuracy",
    "auc": "AUC",
}
QUANTITIES = {
    "mean_truth": "mean true value",
    "mean_prediction": "mean prediction",
    "mae": "mean absolute error",
    "bias": "bias (predicted minus true)",
}
#: What each difference is, in words.
MEANINGS = {
    "demographic_parity_difference": "difference in how often groups are called positive",
    "demographic_parity_ratio": "lowest over highest rate of being called positive",
    "equalised_odds_difference": "greatest difference in true or false positive rate",
    "equalised_odds_ratio": "lowest over highest true or false positive rate",
    "equal_opportunity_difference": "difference in true positive rate",
    "accuracy_difference": "difference in accuracy",
    "mean_prediction_difference": "difference in mean prediction",
    "mae_difference": "difference in mean absolute error",
    "bias_difference": "difference in bias",
    "mae_ratio": "lowest over highest mean absolute error",
}


def blocks(compared: Sequence[Compared]) -> list[Block]:
    """Return the tables and bars of every column, of which the reader picks one."""
    return [Choice("groups", {each.name: _of_one(each) for each in compared})]


def _of_one(compared: Compared) -> list[Block]:
    shown: list[Block] = [_groups(compared)]
    figures = (
        ("selection_rate", "true_positive_rate", "false_positive_rate")
        if compared.positive
        else ("mae", "bias")
    )
    names = RATES if compared.positive else QUANTITIES
    shown += [_bars(compared, figure, names[figure]) for figure in figures]
    if compared.gaps:
        shown.append(_differences(compared))
    return shown


def _groups(compared: Compared) -> Table:
    measured, grouping = compared.measured, compared.measured.grouping
    names: Mapping[str, str] = RATES if compared.positive else QUANTITIES
    shown = {figure: name for figure, name in names.items() if figure in measured.values}
    rows: list[list[Cell]] = []
    for number, label in enumerate(grouping.labels):
        cells: list[Cell] = [label, int(grouping.counts[number])]
        for figure in shown:
            value = float(measured.values[figure][number])
            cells.append(value if np.isfinite(value) else None)
        cells.append("" if measured.enough[number] else "too few rows")
        rows.append(cells)
    formats = {name: ".3f" if name == "AUC" else compared.form for name in shown.values()}
    return Table(
        [grouping.name, "rows", *shown.values(), "note"],
        rows,
        {"rows": ",d", **formats},
        f"Figures by {grouping.name}, by fairlearn",
    )


def _bars(compared: Compared, figure: str, name: str) -> Bars:
    measured = compared.measured
    usable = np.flatnonzero(measured.enough & np.isfinite(measured.values[figure]))
    return Bars(
        names=[measured.grouping.labels[number] for number in usable],
        values=[float(measured.values[figure][number]) for number in usable],
        label=name,
        low=[float(measured.low[figure][number]) for number in usable],
        high=[float(measured.high[figure][number]) for number in usable],
        caption=f"{name[0].upper()}{name[1:]} by {measured.grouping.name}, 95 % intervals",
    )


def _differences(compared: Compared) -> Table:
    return Table(
        ["figure", "value", "from", "to", "lowest", "highest", "meaning"],
        [
            [
                gap.name,
                gap.value if np.isfinite(gap.value) else None,
                gap.low,
                gap.high,
                gap.lowest,
                gap.highest,
                MEANINGS[gap.name],
            ]
            for gap in compared.gaps
        ],
        dict.fromkeys(("value", "from", "to"), ".3f" if compared.positive else compared.form),
        "Differences between groups with enough rows; 95 % intervals that hold for all pairs of "
        "groups at once",
    )

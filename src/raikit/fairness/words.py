"""What the comparison of groups found, as figures, plain words, and blocks of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raikit.fairness.measures import Gap, Measured
from raikit.fairness.mitigation import Price
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Cell, Choice, Table

#: Below four fifths of the highest group's rate (29 CFR 1607.4 D).
RATIO_LIMIT = 0.8
#: A difference of true or false positive rates beyond this is called large here.
ODDS_LIMIT = 0.1

Verdict = Literal["good", "warning", ""]

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


@dataclass(frozen=True)
class Compared:
    """What was found of the groups of one column, or of two.

    Attributes:
        measured: The figures of each group.
        gaps: Between groups with enough rows; empty with fewer than two such.
        positive: The class that is called positive; empty for quantities.
    """

    measured: Measured
    gaps: Sequence[Gap]
    positive: str

    @property
    def name(self) -> str:
        """The column, or both."""
        return self.measured.grouping.name

    @property
    def is_crossed(self) -> bool:
        """Whether the groups are of two columns."""
        return " x " in self.name

    def gap(self, name: str) -> Gap:
        """Return a difference or ratio by its name."""
        return next(gap for gap in self.gaps if gap.name == name)

    @property
    def small(self) -> list[str]:
        """Groups with too few rows, each with how many it has."""
        grouping = self.measured.grouping
        return [
            f"{label} ({count:,})"
            for label, count, enough in zip(
                grouping.labels, grouping.counts, self.measured.enough, strict=True
            )
            if not enough
        ]


def figures_of(compared: Compared, rows: int, min_rows: int) -> list[Figure]:
    """Return the differences as figures; one that says why where nothing can be compared."""
    if not compared.gaps:
        name = "demographic_parity_difference" if compared.positive else "mae_difference"
        why = f"fewer than two groups have {_enough(compared, min_rows)}"
        return [Figure(name, "fairness", None, "less", rows, cohort=compared.name, note=why)]
    sample = int(compared.measured.grouping.counts[compared.measured.enough].sum())
    return [
        Figure(
            gap.name,
            "fairness",
            gap.value if np.isfinite(gap.value) else None,
            "more" if gap.name.endswith("_ratio") else "less",
            sample,
            low=gap.low,
            high=gap.high,
            cohort=compared.name,
            note=f"lowest {gap.lowest}, highest {gap.highest}"
            if np.isfinite(gap.value)
            else "no group has such a row, so a ratio has no meaning",
        )
        for gap in compared.gaps
    ]


def _enough(compared: Compared, min_rows: int) -> str:
    return f"{min_rows} rows of each class" if compared.positive else f"{min_rows} rows"


def verdict_of(compared: Sequence[Compared]) -> Verdict:
    """Return `warning` where a limit is passed beyond doubt, `good` where all are surely kept.

    The limits are four fifths for the rates of being called positive, and `ODDS_LIMIT` for
    equalised odds; of quantities there is no common limit, and no verdict.
    """
    judged = [each for each in compared if each.positive and each.gaps]
    if not judged:
        return ""
    ratios = [each.gap("demographic_parity_ratio") for each in judged]
    odds = [each.gap("equalised_odds_difference") for each in judged]
    if any(_below(gap) for gap in ratios) or any((gap.low or 0) > ODDS_LIMIT for gap in odds):
        return "warning"
    kept = all(gap.low is not None and gap.low >= RATIO_LIMIT for gap in ratios) and all(
        gap.high is not None and gap.high <= ODDS_LIMIT for gap in odds
    )
    return "good" if kept else ""


def _below(gap: Gap) -> bool:
    return gap.high is not None and gap.high < RATIO_LIMIT


def paragraphs(
    compared: Sequence[Compared], rows: int, said: Sequence[str], min_rows: int
) -> list[str]:
    """Return what was looked at, what came out, and what it means."""
    positive = compared[0].positive
    if positive:
        opening = (
            f"Does the model treat groups of people alike? For each group it was counted how often "
            f"the model says {positive}, and how often that is right and wrong, on {rows:,} test "
            "rows. Groups can differ for good reasons; the figures say that they do, not why, and "
            "whether that is fair is for people to judge."
        )
    else:
        opening = (
            "Does the model treat groups of people alike? For each group it was measured how far "
            f"predictions miss, and in which direction, on {rows:,} test rows."
        )
    found = [opening, " ".join(said)]
    tell = _decisions if positive else _quantities
    found += [tell(each) for each in compared if each.gaps and not each.is_crossed]
    crossed = [each for each in compared if each.gaps and each.is_crossed]
    if crossed and positive:
        found.append(_intersections(crossed))
    found += _small(compared, min_rows)
    return [text for text in found if text]


def _decisions(compared: Compared) -> str:
    parity, ratio, odds, chance = (
        compared.gap(name)
        for name in (
            "demographic_parity_difference",
            "demographic_parity_ratio",
            "equalised_odds_difference",
            "equal_opportunity_difference",
        )
    )
    rates = _by_label(compared, "selection_rate")
    text = (
        f"By {compared.name}: the model says {compared.positive} of {rates[parity.lowest]:.1%} of "
        f"{parity.lowest}, and of {rates[parity.highest]:.1%} of {parity.highest}"
    )
    if ratio.low is not None and ratio.high is not None:
        text += f", {ratio.value:.2f} times as often (likely {ratio.low:.2f} to {ratio.high:.2f})"
        text += ". " + _against_limit(ratio)
    else:
        text += "."
    found = _by_label(compared, "true_positive_rate")
    text += (
        f" Of those who truly are {compared.positive}, it finds {found[chance.lowest]:.1%} of "
        f"{chance.lowest}, and {found[chance.highest]:.1%} of {chance.highest}. In their errors "
        f"(equalised odds) groups differ by {odds.value:.2f} (likely {odds.low:.2f} to "
        f"{odds.high:.2f})"
    )
    return text + _against_odds(odds)


def _against_limit(ratio: Gap) -> str:
    if _below(ratio):
        return "Less than four fifths is where US employment law begins to ask why."
    if ratio.low is not None and ratio.low >= RATIO_LIMIT:
        return "That is within the four fifths that US employment law asks for."
    return (
        "Whether that is within the four fifths that US employment law asks for, these rows "
        "cannot tell."
    )


def _against_odds(odds: Gap) -> str:
    if odds.low is not None and odds.low > ODDS_LIMIT:
        return ": much."
    if odds.high is not None and odds.high <= ODDS_LIMIT:
        return ": little."
    return ": these rows cannot tell whether that is much."


def _by_label(compared: Compared, figure: str) -> dict[str, float]:
    labels = compared.measured.grouping.labels
    return dict(zip(labels, map(float, compared.measured.values[figure]), strict=True))


def _quantities(compared: Compared) -> str:
    error, bias = compared.gap("mae_difference"), compared.gap("bias_difference")
    errors, biases = _by_label(compared, "mae"), _by_label(compared, "bias")
    text = (
        f"By {compared.name}: predictions miss by {errors[error.lowest]:,.4g} on average for "
        f"{error.lowest}, and by {errors[error.highest]:,.4g} for {error.highest}. They are "
        f"{_direction(biases[bias.lowest])} for {bias.lowest}, and "
        f"{_direction(biases[bias.highest])} for {bias.highest}; the difference of "
        f"{bias.value:,.4g} "
    )
    if bias.low is not None and bias.low > 0:
        return text + f"is beyond chance (likely {bias.low:,.4g} to {bias.high:,.4g})."
    return text + "may be chance."


def _direction(bias: float) -> str:
    if bias == 0:
        return "neither too high nor too low"
    return f"{abs(bias):,.4g} too {'high' if bias > 0 else 'low'}"


def _intersections(crossed: Sequence[Compared]) -> str:
    worst = max(crossed, key=lambda each: each.gap("equalised_odds_difference").value)
    odds = worst.gap("equalised_odds_difference")
    return (
        "Who belongs to two groups may fare worse than either. Of all pairs of columns the groups "
        f"of {worst.name} differ most in their errors: by {odds.value:.2f} (likely {odds.low:.2f} "
        f"to {odds.high:.2f}), between {odds.lowest} and {odds.highest}."
    )


def _small(compared: Sequence[Compared], min_rows: int) -> list[str]:
    found = []
    for each in compared:
        if not each.small or each.is_crossed:
            continue
        found.append(
            f"Of {each.name}, too few rows to compare (fewer than {_enough(each, min_rows)}): "
            f"{', '.join(each.small)}. They are in the table, but in no difference: what the model "
            "does to them is not known."
        )
    return found


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
    form = ".1%" if compared.positive else ",.4g"
    formats = {name: ".3f" if name == "AUC" else form for name in shown.values()}
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
        dict.fromkeys(("value", "from", "to"), ".3f" if compared.positive else ",.4g"),
        "Differences between groups with enough rows; 95 % intervals that hold for all pairs of "
        "groups at once",
    )


def price_figures(price: Price) -> list[Figure]:
    """Return what thresholds by group leave of a difference, and what they cost."""
    cohort = f"{price.column}, {price.constraint}"
    value, low, high = price.change
    return [
        Figure(
            f"mitigated_{price.after.name}",
            "fairness",
            price.after.value,
            "less",
            price.rows,
            low=price.after.low,
            high=price.after.high,
            cohort=price.column,
            note=f"{price.before.value:.3f} before, on the same rows",
        ),
        Figure(
            "mitigation_accuracy_change",
            "fairness",
            value,
            "more",
            price.rows,
            low=low,
            high=high,
            cohort=cohort,
            note="accuracy with thresholds by group, minus that with one for all",
        ),
    ]


def price_words(prices: Sequence[Price]) -> list[str]:
    """Return what could be done about the differences, and at what price."""
    best = max(prices, key=lambda each: each.before.value - each.after.value)
    said = {"demographic_parity": "called positive as often", "equalized_odds": "as often wrong"}
    return [
        "What would it cost to treat groups alike? A model can be left as it is and its threshold "
        "be set for each group, so that groups are called positive as often (demographic parity), "
        "or are as often wrong in either way (equalised odds). Thresholds were fitted on one half "
        "of the test rows, at the best accuracy that they allow, and measured on the other half.",
        f"The greatest difference that closes is by {best.column}, with groups "
        f"{said[best.constraint]}: from {best.before.value:.2f} to {best.after.value:.2f}, while "
        f"accuracy goes from {best.accuracy_before[0]:.1%} to {best.accuracy_after[0]:.1%} (a "
        f"change of {100 * best.change[0]:+.1f} points, likely {100 * best.change[1]:+.1f} to "
        f"{100 * best.change[2]:+.1f}).",
        "Thresholds by group use the group to decide. In places that is itself against the law, so "
        "ask before you do it; more and better data of the group that fares worse often helps "
        "both.",
    ]


def price_table(prices: Sequence[Price]) -> Table:
    """Return what each way costs."""
    percent = ("accuracy before", "accuracy after", "change", "change from", "change to")
    return Table(
        [
            "groups of",
            "made equal",
            "difference before",
            "after",
            "after from",
            "after to",
            *percent,
        ],
        [
            [
                price.column,
                price.constraint.replace("_", " "),
                price.before.value,
                price.after.value,
                price.after.low,
                price.after.high,
                price.accuracy_before[0],
                price.accuracy_after[0],
                *price.change,
            ]
            for price in prices
        ],
        {
            **dict.fromkeys(("difference before", "after", "after from", "after to"), ".3f"),
            **dict.fromkeys(percent[:2], ".1%"),
            **dict.fromkeys(percent[2:], "+.1%"),
        },
        "What thresholds by group close, and what they cost, on rows that they were not fitted on",
    )

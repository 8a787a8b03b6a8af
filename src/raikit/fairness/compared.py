"""What was found of the groups of one column, or of two: its figures, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raikit.fairness.measures import Gap, Measured
from raikit.numerals import format_of
from stepkit.figures import Figure

#: Below four fifths of the highest group's rate (29 CFR 1607.4 D).
RATIO_LIMIT = 0.8
#: A difference of true or false positive rates beyond this is called large here.
ODDS_LIMIT = 0.1

Verdict = Literal["good", "warning", ""]


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
        return self.measured.grouping.is_crossed

    def gap(self, name: str) -> Gap:
        """Return a difference or ratio by its name."""
        return next(gap for gap in self.gaps if gap.name == name)

    @property
    def form(self) -> str:
        """How a figure is written: a format of Python's `format`."""
        if self.positive:
            return ".1%"
        return format_of(float(np.nanmean(self.measured.values["mae"])))

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
    """Return the differences as figures; without values, and why, where nothing is compared."""
    if not compared.gaps:
        names = ["mae_difference"]
        if compared.positive:
            names = ["demographic_parity_difference", "equalised_odds_difference"]
        why = f"fewer than two groups have {enough_rows(compared, min_rows)}"
        return [
            Figure(name, "fairness", None, "less", rows, cohort=compared.name, note=why)
            for name in names
        ]
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


def enough_rows(compared: Compared, min_rows: int) -> str:
    """Return how many rows a group needs, as text."""
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
    if any(is_below(gap) for gap in ratios) or any((gap.low or 0) > ODDS_LIMIT for gap in odds):
        return "warning"
    kept = all(gap.low is not None and gap.low >= RATIO_LIMIT for gap in ratios) and all(
        gap.high is not None and gap.high <= ODDS_LIMIT for gap in odds
    )
    return "good" if kept else ""


def is_below(gap: Gap) -> bool:
    """Return whether a ratio is surely below its limit."""
    return gap.high is not None and gap.high < RATIO_LIMIT

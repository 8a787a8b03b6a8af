"""What thresholds by group would cost, as figures, plain words, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from raikit.fairness.mitigation import Price
from stepkit.figures import Figure
from stepkit.findings import Table


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
        f"The difference that narrows most is by {best.column}, with groups "
        f"{said[best.constraint]}: from {100 * best.before.value:.0f} points to "
        f"{100 * best.after.value:.0f} (likely {100 * (best.after.low or 0):.0f} to "
        f"{100 * (best.after.high or 1):.0f}), while accuracy "
        f"goes from {best.accuracy_before[0]:.1%} to {best.accuracy_after[0]:.1%} (a "
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

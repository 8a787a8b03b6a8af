"""What is known of the balance of data, as figures, plain words, and blocks of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raikit.fairness.measures import Gap
from raikit.groups import Grouping
from raikit.numerals import format_of
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Cell, Choice, Table
from stepkit.metrics import Floats

#: A gap at equal features that is surely beyond this share of rows is warned of.
GAP_LIMIT = 0.02
#: A group of a smaller share of the rows is called small.
SMALL_SHARE = 0.05


@dataclass(frozen=True)
class Label:
    """What is predicted.

    Attributes:
        values: 1 for the positive class and 0 for others, or a quantity, shape (n,).
        positive: The positive class; empty for a quantity.
        name: The column.
    """

    values: Floats
    positive: str
    name: str

    @property
    def scale(self) -> float:
        """What differences are judged against: 1 for a class, else the standard deviation."""
        return 1.0 if self.positive else float(self.values.std())

    @property
    def form(self) -> str:
        """How a quantity is written: a format of Python's `format`."""
        return format_of(self.scale)


@dataclass(frozen=True)
class Balanced:
    """What was measured of the groups of one column, or of two.

    Attributes:
        grouping: The groups.
        means: The label's share, or its mean, in each.
        distribution: How far groups are from all being as large.
        features: How label and groups go together; empty for a quantity.
        difference: Of the label's share or mean; None where no groups can be compared.
        gap: The same of what is left of the label, given the features; None alike.
        left: What is left in each group; NaN where it is not known.
        sample: Rows that the gap is of.
    """

    grouping: Grouping
    means: Floats
    distribution: Mapping[str, float]
    features: Mapping[str, Floats]
    difference: Gap | None
    gap: Gap | None
    left: Floats
    sample: int


def figures_of(found: Sequence[Balanced], overall: Mapping[str, float], rows: int) -> list[Figure]:
    """Return the figures of single columns, and how unequal all combinations are."""
    figures = []
    for each in found:
        if each.grouping.is_crossed:
            continue
        cohort, counts = each.grouping.name, each.grouping.counts
        smallest = int(counts.argmin())
        figures += [
            Figure(
                "smallest_group_share",
                "data",
                float(counts[smallest] / rows),
                "more",
                rows,
                cohort=cohort,
                note=f"{each.grouping.labels[smallest]}, {counts[smallest]:,} rows",
            ),
            Figure(
                "js_distance",
                "data",
                each.distribution["js_distance"],
                "less",
                rows,
                cohort=cohort,
                note="of the groups' shares from even ones",
            ),
        ]
        figures += [
            Figure(
                gap.name,
                "data",
                gap.value,
                "less",
                sample,
                low=gap.low,
                high=gap.high,
                cohort=cohort,
                note=f"lowest {gap.lowest}, highest {gap.highest}",
            )
            for gap, sample in ((each.difference, rows), (each.gap, each.sample))
            if gap is not None
        ]
    index = overall["theil_t_index"]
    note = "of the sizes of all combinations of groups; 0 where all are as large"
    return [*figures, Figure("theil_t_index", "data", index, "less", rows, note=note)]


def verdict_of(found: Sequence[Balanced], label: Label) -> Literal["good", "warning", ""]:
    """Return `warning` where labels differ beyond doubt in rows that are otherwise alike.

    Of a class that is by more than `GAP_LIMIT`; of a quantity by more than that share of its
    standard deviation. `good` where it is surely less in every column.
    """
    scale = label.scale
    gaps = [each.gap for each in found if each.gap is not None and not each.grouping.is_crossed]
    if any((gap.low or 0.0) > GAP_LIMIT * scale for gap in gaps):
        return "warning"
    if gaps and all(gap.high is not None and gap.high <= GAP_LIMIT * scale for gap in gaps):
        return "good"
    return ""


def paragraphs(
    found: Sequence[Balanced], label: Label, rows: int, said: Sequence[str]
) -> list[str]:
    """Return what was looked at, what came out, and what it means."""
    results = [_of_one(each, label, rows) for each in found if not each.grouping.is_crossed]
    words = [
        *results[:1],
        "A model learns little of groups that its training data has few rows of, and it learns "
        f"whatever its labels say of them. Here the {rows:,} training rows are counted by group.",
        " ".join(said),
        *results[1:],
    ]
    if any(each.gap is not None for each in found):
        words.append(
            "Rows that are otherwise alike are compared by a model of the label that sees every "
            "feature but the column in question. What it leaves may be a biased label, or a cause "
            "that no column tells. If it leaves nothing, that is no proof: a feature that stands "
            "in for the group, such as a street for an origin, explains a bias away."
        )
    return [text for text in words if text]


def _of_one(each: Balanced, label: Label, rows: int) -> str:
    grouping, counts = each.grouping, each.grouping.counts
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    text = (
        f"By {grouping.name}: {counts[largest] / rows:.0%} of the rows are "
        f"{grouping.labels[largest]}, and {counts[smallest] / rows:.1%} are "
        f"{grouping.labels[smallest]} ({counts[smallest]:,} rows)."
    )
    if each.difference is not None:
        mean = dict(zip(grouping.labels, each.means, strict=True))
        low, high = each.difference.lowest, each.difference.highest
        text += (
            f" The label is {label.positive} in {mean[low]:.1%} of {low}, and in {mean[high]:.1%} "
            f"of {high}."
            if label.positive
            else f" Mean {label.name} is {mean[low]:{label.form}} for {low}, and "
            f"{mean[high]:{label.form}} for {high}."
        )
    return text + _gap_words(each.gap, label)


def _gap_words(gap: Gap | None, label: Label) -> str:
    if gap is None or gap.low is None or gap.high is None:
        return ""
    if label.positive:
        size = f"{100 * gap.value:.1f} points"
        likely = f"likely {100 * gap.low:.1f} to {100 * gap.high:.1f}"
        what = f"it is {label.positive} more often"
    else:
        form = label.form
        size, likely = f"{gap.value:{form}}", f"likely {gap.low:{form}} to {gap.high:{form}}"
        what = "it is higher"
    if gap.low == 0:
        weight = "may be chance"
    else:
        weight = "much" if gap.low > GAP_LIMIT * label.scale else "beyond chance"
    return (
        f" In rows that are otherwise alike {what} for {gap.highest} than for {gap.lowest}, by "
        f"{size} ({likely}: {weight})."
    )


def blocks(found: Sequence[Balanced], label: Label, overall: Mapping[str, float]) -> list[Block]:
    """Return sizes and labels of each column's groups, and the measures of balance."""
    options: dict[str, list[Block]] = {
        each.grouping.name: [_bars(each), _groups(each, label)] for each in found
    }
    return [Choice("groups", options), _measures(found, overall)]


def _bars(each: Balanced) -> Bars:
    counts = each.grouping.counts
    return Bars(
        names=each.grouping.labels,
        values=[float(count / counts.sum()) for count in counts],
        label="share of the training rows",
        caption=f"How large the groups of {each.grouping.name} are",
    )


def _groups(each: Balanced, label: Label) -> Table:
    grouping, counts = each.grouping, each.grouping.counts
    mean = f"label is {label.positive}" if label.positive else f"mean {label.name}"
    left = "above the expected"
    names = {
        "pointwise_mutual_information": "mutual information",
        "sorensen_dice": "Sorensen-Dice",
        "jaccard_index": "Jaccard",
    }
    shown = {key: name for key, name in names.items() if key in each.features}
    rows: list[list[Cell]] = []
    for number, name in enumerate(grouping.labels):
        measured = [each.left[number], *(each.features[key][number] for key in shown)]
        rows.append(
            [
                name,
                int(counts[number]),
                float(counts[number] / counts.sum()),
                float(each.means[number]),
                *(float(value) if np.isfinite(value) else None for value in measured),
            ]
        )
    of_label = (".1%", "+.1%") if label.positive else (label.form, f"+{label.form}")
    return Table(
        [grouping.name, "rows", "share", mean, left, *shown.values()],
        rows,
        {
            "rows": ",d",
            "share": ".1%",
            mean: of_label[0],
            left: of_label[1],
            **dict.fromkeys(shown.values(), ".3f"),
        },
        f"Groups of {grouping.name} in the training data, and their labels",
    )


def _measures(found: Sequence[Balanced], overall: Mapping[str, float]) -> Table:
    names = list(found[0].distribution)
    rows: list[list[Cell]] = [
        [each.grouping.name, *(each.distribution[name] for name in names)] for each in found
    ]
    indices = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in overall.items())
    return Table(
        ["groups", *(name.replace("_", " ") for name in names)],
        rows,
        {name.replace("_", " "): ".4g" for name in names},
        f"How far groups are from all being as large (0 where they are); over all combinations: "
        f"{indices}",
    )

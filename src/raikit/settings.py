"""What an analysis is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import pandas as pd

from stepkit.figures import Figure
from stepkit.findings import Section
from stepkit.model import Model
from stepkit.program import StepError

Mitigation = Literal["none", "demographic_parity", "equalized_odds"]


@dataclass(frozen=True)
class Settings:
    """What all analyses are asked for; each reads what concerns it.

    Attributes:
        folder: The report, into which pictures and details are written.
        positive_label: The positive class; `auto` is the last of two in sorted order.
        sensitive: Columns that say who a row is of, as `raikit.groups.settle_sensitive` names them.
        ranges: Where numbers of a sensitive column are cut; those not named are cut by rule.
        immutable: Features that nobody can change.
        treatments: Columns whose effect is asked for; empty for those that the analysis chooses.
        mitigation: What the mitigated model is to keep equal.
        min_rows: A group with fewer rows (of each class) is named, and left out of the extremes.
        error: How a wrong quantity counts.
        max_depth: Of the tree of errors; so num_leaves, min_child_samples.
        heatmap: One or two columns to lay the errors out by; empty for those of the tree.
        bins: How numbers are cut for that.
        seed: Of everything random.
    """

    folder: Path
    positive_label: str = "auto"
    sensitive: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    immutable: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    mitigation: Mitigation = "none"
    min_rows: int = 30
    error: Literal["absolute", "squared"] = "absolute"
    max_depth: int = 3
    num_leaves: int = 31
    min_child_samples: int = 20
    heatmap: tuple[str, ...] = ()
    bins: Literal["quantile", "equal_width"] = "quantile"
    seed: int = 0


Found: TypeAlias = "tuple[tuple[Figure, ...], tuple[Section, ...]]"
#: From a model, its training and test rows, and the settings, to figures and sections.
Analysis: TypeAlias = "Callable[[Model, pd.DataFrame, pd.DataFrame, Settings], Found]"


def parse_ranges(text: str) -> dict[str, tuple[float, ...]]:
    """Parse where columns are cut: `age: 30 50; income: 20000`; `auto` is nothing.

    Raises:
        StepError: A part is not a name, a colon, and rising numbers.
    """
    found: dict[str, tuple[float, ...]] = {}
    for part in text.split(";") if text.strip() != "auto" else ():
        name, _, numbers = part.rpartition(":")
        try:
            edges = tuple(float(number) for number in numbers.replace(",", " ").split())
        except ValueError:
            edges = ()
        rising = all(one < other for one, other in pairwise(edges))
        if not name.strip() or not edges or not rising:
            raise StepError(
                f"ranges: {part.strip()!r} does not say where a column is cut",
                hint="write a name, a colon, and rising numbers, as in: age: 30 50; score: 0.5",
            )
        found[name.strip()] = edges
    return found

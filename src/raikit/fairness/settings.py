"""What the analyses of fairness and of data balance are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Mitigation = Literal["none", "demographic_parity", "equalized_odds"]


@dataclass(frozen=True)
class Settings:
    """What is asked.

    Attributes:
        folder: The report, into which pictures and details are written.
        sensitive: Columns that say who a row is of.
        chosen: How they came about, in words; see `raikit.groups.settle_sensitive`.
        ranges: Where numbers of a sensitive column are cut; those not named are cut by rule.
        min_rows: A group with fewer rows (of each class) is named, and left out of the extremes.
        positive_label: The positive class; `auto` is the last of two in sorted order.
        seed: For resamples and halves.
    """

    folder: Path
    sensitive: tuple[str, ...] = ()
    chosen: str = ""
    ranges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    min_rows: int = 30
    positive_label: str = "auto"
    seed: int = 0

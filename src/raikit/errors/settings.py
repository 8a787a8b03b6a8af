"""What error analysis is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """What is asked; names and defaults of the tree are those of Azure's component.

    Attributes:
        folder: The report, into which pictures and details are written.
        max_depth: Of the tree.
        num_leaves: The most that it may have.
        min_child_samples: Rows that a leaf must have.
        error: How a wrong quantity counts.
        columns: What errors are looked for by beside the model's features.
        heatmap: One or two columns to lay the errors out by; empty for those that tell most.
        bins: How numbers are cut for that.
        positive_label: The positive class; `auto` is the last of two in sorted order.
        seed: For halving the rows.
    """

    folder: Path
    max_depth: int = 3
    num_leaves: int = 31
    min_child_samples: int = 20
    error: Literal["absolute", "squared"] = "absolute"
    columns: tuple[str, ...] = ()
    heatmap: tuple[str, ...] = ()
    bins: Literal["quantile", "equal_width"] = "quantile"
    positive_label: str = "auto"
    seed: int = 0

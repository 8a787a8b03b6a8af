"""What all tasks of a search have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Builder(Protocol):
    """The part of a learner that a task needs."""

    def build(
        self,
        task: Any,
        config: Mapping[str, Any],
        *,
        columns: Any,
        featurization: Any,
        threads: int,
        seed: int,
        classes: Any,
    ) -> Any:
        """Return an estimator that takes raw columns, not yet fitted."""


@dataclass(frozen=True)
class Fold:
    """Numbers of the rows to train on, and of those to validate on."""

    train: NDArray[np.intp]
    valid: NDArray[np.intp]


@dataclass(frozen=True)
class Context:
    """What all tasks of a search have in common.

    Attributes:
        task: `classification` or `regression`.
        table: Raw feature columns.
        target: Labels or numbers, one a row.
        weights: Weights of rows, or None.
        rounds: The folds of each round; a further round is the same with other folds.
        delivered_rows: Rows that a delivered model is fitted on.
        columns: The columns' purposes.
        featurization: The request's settings of it.
        classes: All labels, sorted; None of regression.
        builders: Learners by name.
        seed: Of all that is random.
        positive_label: What `_binary` metrics are about, or None.
    """

    task: str
    table: pd.DataFrame
    target: pd.Series
    weights: pd.Series | None
    rounds: Sequence[Sequence[Fold]]
    delivered_rows: NDArray[np.intp]
    columns: Any
    featurization: Any
    classes: Sequence[Any] | None
    builders: Mapping[str, Builder]
    seed: int
    positive_label: str | None = None

"""What worker processes are asked to do, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automlkit.search.objective import Floats


class Builder(Protocol):
    """The part of a learner that a worker needs."""

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
    """What all work of a search has in common.

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


@dataclass(frozen=True)
class FoldWork:
    """Fit one configuration on one fold, and predict the fold's validation rows.

    Attributes:
        trial: The trial's number.
        algorithm: The learner's name.
        config: Its hyperparameters.
        round: Which folds.
        fold: Which of them.
        threads: Threads that may be used.
        keep: Where the fitted model is written, or None.
    """

    trial: int
    algorithm: str
    config: Mapping[str, Any]
    round: int
    fold: int
    threads: int
    keep: Path | None = None


@dataclass(frozen=True)
class FinalWork:
    """Fit one configuration on the rows of the delivered model.

    Attributes:
        trial: The number of the trial whose configuration it is.
        algorithm: The learner's name.
        config: Its hyperparameters.
        iterations: Iterations of a learner that stopped early in the folds, or None.
        threads: Threads that may be used.
        keep: Where the fitted model is written.
    """

    trial: int
    algorithm: str
    config: Mapping[str, Any]
    iterations: int | None
    threads: int
    keep: Path


@dataclass(frozen=True)
class FoldDone:
    """One fold's result.

    Attributes:
        predictions: Of the validation rows, shape (rows,) or (rows, classes).
        seconds: Of fitting and predicting.
        predict_ms: Milliseconds that one row takes.
        iterations: Iterations that the learner stopped at, or None.
        metrics: All metrics on the validation rows, by Azure's names.
    """

    predictions: Floats
    seconds: float
    predict_ms: float
    iterations: int | None
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class FinalDone:
    """A model is written.

    Attributes:
        seconds: Of fitting and writing.
    """

    seconds: float


@dataclass(frozen=True)
class Failure:
    """Work that came to nothing.

    Attributes:
        kind: `error` (the learner raised), `crash` (the process ended), `timeout`, `memory`.
        message: What happened.
    """

    kind: Literal["error", "crash", "timeout", "memory"]
    message: str


Work = FoldWork | FinalWork
Answer = FoldDone | FinalDone | Failure


@dataclass
class Outcome:
    """Work and its answer."""

    work: Work
    answer: Answer = field(default_factory=lambda: Failure("error", "not done"))

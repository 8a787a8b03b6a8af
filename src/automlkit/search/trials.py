"""Trials, and the folder that they are kept in so that an interrupted search goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from automlkit.kept import SUFFIX, read_trial, write_trial
from automlkit.search.objective import Floats
from automlkit.search.tasks import FoldDone
from stepkit.program import write_text

Status = Literal["Running", "Completed", "Failed", "Canceled"]


@dataclass
class Trial:
    """One configuration of one learner, and how it did.

    Attributes:
        number: From 0, in the order of starting.
        algorithm: The learner's name.
        config: Its hyperparameters.
        status: `Running` until its first round of folds is done.
        message: Why it is not Completed.
        predictions: Out-of-fold predictions of each round, the folds one after the other.
        fold_metrics: Metrics of each fold of each round.
        seconds: Of fitting and predicting, all folds of the first round.
        predict_ms: Milliseconds that one row takes.
        iterations: What the folds' fits stopped at, where they stopped by themselves.
    """

    number: int
    algorithm: str
    config: dict[str, Any]
    status: Status = "Running"
    message: str | None = None
    predictions: dict[int, Floats] = field(default_factory=dict)
    fold_metrics: dict[int, list[dict[str, float]]] = field(default_factory=dict)
    seconds: float = 0.0
    predict_ms: float = 0.0
    iterations: list[int] = field(default_factory=list)

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics as Azure reports them, the mean over folds; and over rounds, where repeated."""
        return mean_metrics([one for each in self.fold_metrics.values() for one in each])

    def complete(self, round_number: int, done: Mapping[int, FoldDone]) -> None:
        """Take over the results of a round's folds."""
        folds = [done[number] for number in sorted(done)]
        self.predictions[round_number] = np.concatenate([one.predictions for one in folds])
        self.fold_metrics[round_number] = [dict(one.metrics) for one in folds]
        if round_number == 0:
            self.seconds = sum(one.seconds for one in folds)
            self.predict_ms = min(one.predict_ms for one in folds)
            self.iterations = [one.iterations for one in folds if one.iterations is not None]
            self.status = "Completed"


def mean_metrics(folds: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each metric that every fold has, those that are no numbers left out."""
    names = [name for name in (folds[0] if folds else {}) if all(name in one for one in folds)]
    means = {name: float(np.mean([one[name] for one in folds])) for name in names}
    return {name: value for name, value in means.items() if np.isfinite(value)}


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as values of JSON: searchers give NumPy's numbers."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in config.items()
    }


class Store:
    """A folder of trials, each a file, and of models that they fitted.

    Args:
        folder: Made where missing.
        key: What the trials depend on (the data, the folds, the settings); trials that were kept
            under another key are dropped.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self.models = folder / "models"
        self.models.mkdir(parents=True, exist_ok=True)
        stamp = folder / "key.txt"
        if not stamp.exists() or stamp.read_text() != key:
            for path in (*folder.glob(f"*{SUFFIX}"), *self.models.iterdir()):
                path.unlink()
            write_text(stamp, key)

    def save(self, trial: Trial) -> None:
        """Write a trial that is over."""
        facts = {
            "number": trial.number,
            "algorithm": trial.algorithm,
            "config": trial.config,
            "status": trial.status,
            "message": trial.message,
            "fold_metrics": trial.fold_metrics,
            "seconds": trial.seconds,
            "predict_ms": trial.predict_ms,
            "iterations": trial.iterations,
        }
        arrays = {f"round_{number}": one for number, one in trial.predictions.items()}
        write_trial(self._folder / f"{trial.number:05d}{SUFFIX}", facts, arrays)

    def load(self) -> list[Trial]:
        """Return the trials that are kept, in their order; one with a torn file is left out."""
        found = [self._read(path) for path in sorted(self._folder.glob(f"*{SUFFIX}"))]
        return [trial for trial in found if trial is not None]

    def model_file(self, number: int) -> Path:
        """Return where the first fold's model of a trial is kept."""
        return self.models / f"{number}.pkl"

    def keep_models(self, numbers: set[int]) -> None:
        """Delete the models of all trials but these."""
        for path in self.models.glob("*.pkl"):
            if int(path.stem) not in numbers:
                path.unlink()

    def _read(self, file: Path) -> Trial | None:
        found = read_trial(file)
        if found is None:
            return None
        facts, arrays = found
        rounds = {int(number): folds for number, folds in facts.pop("fold_metrics").items()}
        predictions = {number: arrays[f"round_{number}"] for number in rounds}
        return Trial(**facts, fold_metrics=rounds, predictions=predictions)

"""Finished trials, kept so that a search that was ended goes on from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.kept import SUFFIX, read_trial, write_trial
from automlkit.request import Limits
from automlmodel.forecast_features import Floats


@dataclass(frozen=True)
class Finished:
    """A finished trial.

    Attributes:
        seconds: How long it took.
        predictions: Forecasts of the validation rows, shape (n,).
    """

    seconds: float
    predictions: Floats


class State:
    """A folder of finished trials of one problem.

    Args:
        folder: Where they are kept.
        problem: Trials of another request or of other data are not taken.
    """

    def __init__(self, folder: Path, problem: Problem) -> None:
        self._folder = folder
        # More time or more trials do not make another problem.
        facts = msgspec.json.encode(msgspec.structs.replace(problem.request, limits=Limits()))
        rows = problem.frame.to_csv(index=False).encode()
        self._problem = hashlib.sha256(facts + rows).hexdigest()

    def _file(self, candidate: Candidate) -> Path:
        digest = hashlib.sha256(f"{self._problem} {candidate.key}".encode()).hexdigest()
        return self._folder / f"{digest[:32]}{SUFFIX}"

    def get(self, candidate: Candidate) -> Finished | None:
        """Return a candidate's finished trial, or None."""
        found = read_trial(self._file(candidate))
        if found is None:
            return None
        facts, arrays = found
        return Finished(facts["seconds"], arrays["predictions"])

    def put(self, candidate: Candidate, finished: Finished) -> None:
        """Keep a finished trial."""
        facts = {"candidate": candidate.key, "seconds": finished.seconds}
        write_trial(self._file(candidate), facts, {"predictions": finished.predictions})

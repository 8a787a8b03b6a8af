"""Finished trials, kept so that a search that was ended goes on from them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import Problem
from automlkit.request import Limits
from automlmodel.forecast_features import Floats
from stepkit.program import write_bytes


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
        return self._folder / f"{digest[:32]}.npz"

    def get(self, candidate: Candidate) -> Finished | None:
        """Return a candidate's finished trial, or None."""
        file = self._file(candidate)
        if not file.is_file():
            return None
        with np.load(file) as stored:
            facts = json.loads(str(stored["facts"]))
            return Finished(facts["seconds"], stored["predictions"])

    def put(self, candidate: Candidate, finished: Finished) -> None:
        """Keep a finished trial, whole or not at all."""
        facts = {"candidate": candidate.key, "seconds": finished.seconds}
        buffer = io.BytesIO()
        np.savez(buffer, predictions=finished.predictions, facts=np.asarray(json.dumps(facts)))
        write_bytes(self._file(candidate), buffer.getvalue())

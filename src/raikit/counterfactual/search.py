"""The search itself, by DiCE: within a time, and without its prints and warnings."""

from __future__ import annotations

import contextlib
import io
import random
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from raikit.counterfactual.settings import Settings
from raikit.counterfactual.space import Space
from raikit.predictor import Predictor
from stepkit.metrics import Floats

#: What DiCE calls the column that is predicted; no code of a column is called so.
_OUTCOME = "outcome"
#: Rows that are remembered for the case that a search does not end by itself.
_REMEMBERED = 500
#: How many times as many as asked for are searched, where that costs nothing.
_SPARE = 4

Wanted = Callable[[Floats], Any]


class _OutOfTimeError(Exception):
    """The search of one row has had its time."""


class _Answering:
    """The model as DiCE asks it: rows as DiCE makes them, and only until a moment."""

    def __init__(self, predictor: Predictor, space: Space, wanted: Wanted, until: float) -> None:
        self._predictor = predictor
        self._space = space
        self._wanted = wanted
        self._until = until
        self.seen: list[pd.DataFrame] = []
        self._kept = 0

    def predict_proba(self, made: pd.DataFrame) -> Floats:
        if time.monotonic() > self._until:
            raise _OutOfTimeError
        scores = self._predictor.scores(self._space.table(made))
        if self._kept < _REMEMBERED:
            right = made[np.asarray(self._wanted(scores), dtype=bool)]
            self.seen.append(right)
            self._kept += len(right)
        return scores

    def predict(self, made: pd.DataFrame) -> Any:
        scores = self.predict_proba(made)
        return scores.argmax(axis=1) if scores.ndim == 2 else scores


def candidates(
    predictor: Predictor,
    space: Space,
    known: pd.DataFrame,
    goal: int | tuple[float, float],
    wanted: Wanted,
    settings: Settings,
) -> pd.DataFrame:
    """Return rows that DiCE found, as DiCE has them; none is checked yet.

    Args:
        predictor: The model.
        space: What may change.
        known: Training rows as DiCE takes them.
        goal: The class's number, or the range.
        wanted: Tells of scores which reach the goal, shape (n,).
        settings: What is asked.
    """
    answering = _Answering(predictor, space, wanted, time.monotonic() + settings.seconds)
    start = space.start
    with _quietly(settings.seed):
        found = _explained(answering, space, pd.concat([known, start]), goal, settings)
    if found is None or not len(found):
        found = pd.concat([known.iloc[:0], *answering.seen]).head(_REMEMBERED)
    return pd.DataFrame(found[list(start.columns)].reset_index(drop=True))


def _explained(
    answering: _Answering,
    space: Space,
    known: pd.DataFrame,
    goal: int | tuple[float, float],
    settings: Settings,
) -> Any:
    """Return what DiCE finds; None where it finds none, or not in time."""
    import dice_ml  # takes seconds, and with it come lightgbm and others
    from raiutils.exceptions import UserConfigValidationException

    kind = "regressor" if isinstance(goal, tuple) else "classifier"
    asked: dict[str, Any] = (
        {"desired_range": list(goal)} if isinstance(goal, tuple) else {"desired_class": goal}
    )
    decimals = {each.code: each.decimals for each in space.columns if each.is_number}
    # The row itself is among what is known, so that its own values are in range.
    data = dice_ml.Data(
        dataframe=known.reset_index(drop=True).assign(**{_OUTCOME: 0}),
        continuous_features=list(decimals),
        outcome_name=_OUTCOME,
        continuous_features_precision=decimals,
    )
    model = dice_ml.Model(model=answering, backend="sklearn", model_type=kind)
    # Changes that are taken back leave some alike, so more are searched than are asked for; but
    # breeding takes time by their number.
    total = settings.total_cfs * (1 if settings.method == "genetic" else _SPARE)
    try:
        return (
            dice_ml.Dice(data, model, method=settings.method)
            .generate_counterfactuals(
                space.start,
                total_CFs=total,
                permitted_range=space.permitted(),
                # DiCE asks the model for every step of every row; `sparse` asks it once for all.
                posthoc_sparsity_param=None,
                **asked,
            )
            .cf_examples_list[0]
            .final_cfs_df
        )
    except (_OutOfTimeError, UserConfigValidationException, ValueError):
        # Out of time, none found, or too few to breed from: what was seen by then is given.
        return None


@contextlib.contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """Let DiCE draw from a seed, and keep its prints, progress bars, and pandas' warnings to it."""
    numpy_state, state = np.random.get_state(), random.getstate()
    np.random.seed(seed)
    random.seed(seed)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(state)

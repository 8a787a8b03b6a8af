"""Shapley values of raw columns for any model, by the explainer that its make allows.

A row's score is the base, which is the mean over background rows, plus one contribution a column
(S. Lundberg, S.-I. Lee, "A unified approach to interpreting model predictions", NIPS 2017,
arXiv:1705.07874). That they add up is checked on every row that is explained; an explainer whose
values do not is given up for permutation SHAP, which asks nothing of the model but predictions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from raikit.explanation.glassbox import ebm_of, own_contributions
from raikit.explanation.parts import (
    Parts,
    dense,
    grouped,
    is_histogram_boosting,
    is_linear_model,
    is_tree_model,
    owners,
    take_apart,
)
from raikit.explanation.subject import Subject, Unit
from stepkit.metrics import Floats

Method = Literal["terms", "trees", "shap_trees", "linear", "permutation"]
METHODS: dict[Method, str] = {
    "terms": "the model's own terms",
    "trees": "tree SHAP, exact for the raw columns",
    "shap_trees": "tree SHAP of the prepared columns, summed to the raw ones",
    "linear": "linear SHAP of the prepared columns, summed to the raw ones",
    "permutation": "permutation SHAP of the raw columns",
}
#: Explainers whose sum misses the score by more than this share of its spread are not used.
TOLERANCE = 1e-3
#: Rows that are predicted at once: memory stays small, and a call's fixed cost is spread.
_AT_ONCE = 20_000


@dataclass(frozen=True)
class Contributions:
    """Contributions of raw columns to scores.

    Attributes:
        method: Which explainer they are of.
        unit: Of the scores.
        values: Shape (rows, columns, outputs).
        base: The score to start from, shape (outputs,).
        scores: What the model says, shape (rows, outputs).
        note: Why not another explainer; empty where it was the first choice.
    """

    method: Method
    unit: Unit
    values: Floats
    base: Floats
    scores: Floats
    note: str = ""

    @property
    def errors(self) -> Floats:
        """By how much base and contributions miss each row's score, shape (rows,)."""
        return np.asarray(np.abs(self.base + self.values.sum(axis=1) - self.scores).max(axis=1))

    @property
    def additivity_error(self) -> float:
        """The greatest of `errors`, as a share of the standard deviation of the scores."""
        return _relative(float(self.errors.max()), self.scores)

    @property
    def strength(self) -> Floats:
        """Mean absolute contribution of each column, over rows and outputs, shape (columns,)."""
        return np.asarray(np.abs(self.values).mean(axis=(0, 2)))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the normal interval of `strength`, for the rows being a sample."""
        from scipy.stats import norm  # half a second, for one number

        each = np.abs(self.values).mean(axis=2)
        deviation = each.std(axis=0, ddof=1) if len(each) > 1 else np.zeros(each.shape[1])
        reach = norm.ppf((1 + level) / 2) * deviation / np.sqrt(len(each))
        return np.maximum(self.strength - reach, 0), self.strength + reach


@dataclass(frozen=True)
class _Found:
    """What an explainer says, before anything is checked.

    Attributes:
        method: Which it is.
        values: Shape (rows, columns, outputs of the end).
        base: What they start from, where that is not the mean score of the background.
    """

    method: Method
    values: Floats
    base: Floats | None = None


def contributions(
    subject: Subject,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    unit: Literal["auto", "probability", "log_odds"] = "auto",
    *,
    rounds: int = 2,
    seed: int = 0,
) -> Contributions:
    """Explain rows.

    Args:
        subject: The model.
        rows: Raw columns of the rows to explain, as `Subject.columns` returns them.
        background: Of the rows that they are compared with, such as 100 of the training rows.
        unit: What the contributions add up to, of classes; `auto` is what the model itself adds up:
            log-odds of boosted trees, linear models, and EBMs, else probabilities.
        rounds: Orders of the columns, each there and back, that permutation SHAP takes the mean of.
        seed: Of those orders.
    """
    said, usual = subject.predictions(rows), subject.predictions(background)
    found, note = _explained(subject, rows, background)
    candidates = _units(subject, unit)
    if found is not None:
        for wanted in candidates:
            made = _added_up(subject, found, wanted, said, usual)
            if made is not None and made.additivity_error <= TOLERANCE:
                return made
        note = (
            f"{METHODS[found.method]}: it does not add up to the model's {' or '.join(candidates)}"
        )
    wanted = subject.plain_unit if unit == "auto" else candidates[0]
    values = permutation_shapley(
        lambda X: subject.scores(X, wanted), rows, background, rounds=rounds, seed=seed
    )
    base = subject.in_unit(usual, wanted).mean(axis=0)
    return Contributions("permutation", wanted, values, base, subject.in_unit(said, wanted), note)


def _added_up(
    subject: Subject, found: _Found, unit: Unit, said: Floats, usual: Floats
) -> Contributions | None:
    """Put an explainer's values beside the scores in a unit; None where they are of other outputs.

    Where floats do not tell a row's log-odds, its score is taken to be the sum.
    """
    scores, sums = subject.in_unit(said, unit), found.values.sum(axis=1)
    told = subject.is_told(said, unit)
    if sums.shape != scores.shape or not told.any():
        return None
    if found.base is not None:
        base = found.base
    elif subject.is_told(usual, unit).all():
        base = subject.in_unit(usual, unit).mean(axis=0)
    else:
        base = np.median((scores - sums)[told], axis=0)
    scores = np.where(told[:, None], scores, base + sums)
    return Contributions(found.method, unit, found.values, base, scores)


def _units(subject: Subject, unit: str) -> tuple[Unit, ...]:
    """Return the units that a model may add up in; additivity then shows the one it does."""
    if subject.task == "regression":
        return ("value", "log_value") if unit == "auto" else ("value",)
    if unit == "auto":
        return ("log_odds", "probability")
    return ("log_odds",) if unit == "log_odds" else ("probability",)


def _relative(error: float, scores: Floats) -> float:
    spread = float(scores.std())
    return error / spread if spread > 0 else error


def _explained(
    subject: Subject, rows: pd.DataFrame, background: pd.DataFrame
) -> tuple[_Found | None, str]:
    """Return the values of the explainer that fits the model's make, or None and why not."""
    ebm = ebm_of(subject)
    if ebm is not None:
        return _Found("terms", own_contributions(subject, ebm, rows, background)), ""
    parts = take_apart(subject.estimator)
    name = type(parts.end).__name__
    explain = _explainer_of(parts.end)
    if explain is None:
        return None, f"{name} has no explainer of its own"
    try:
        prepare = _matrix(parts)
        owner = owners(prepare, pd.concat([rows, background], ignore_index=True))
        if owner is None:
            return None, "the model mixes raw columns before it learns from them"
        # Prepared columns that nothing changes belong to one more column, which gets nothing.
        owner = np.where(owner < 0, rows.shape[1], owner)
        found = explain(parts.end, prepare(rows), prepare(background), owner, rows.shape[1] + 1)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Such as text that the end has its own way with, or another version's trees. Permutation
        # SHAP asks for predictions only; the note says why it was taken.
        first = (str(error) or type(error).__name__).splitlines()[0][:120]
        return None, f"{name} could not be taken apart ({first})"
    return _Found(found.method, *_turned(subject, found.values[:, :-1], found.base)), ""


def _turned(subject: Subject, values: Floats, base: Floats | None) -> tuple[Floats, Floats | None]:
    """Turn outputs of the end into those that are explained.

    Of two classes, an end has one output, of its last class, or one for each. Of more, scores are
    taken as differences from their mean, which is what log-odds mean there; of probabilities, which
    sum to 1, that changes nothing.
    """
    if subject.task == "regression":
        return values, base
    width = values.shape[2]
    if subject.positive is not None:
        sign = -1.0 if width == 1 and subject.positive == 0 else 1.0
        place = [0 if width == 1 else subject.positive]
        return sign * values[:, :, place], None if base is None else sign * base[place]
    centred = values - values.mean(axis=2, keepdims=True)
    # Probabilities start from their own means, which are 1 / classes off on average.
    return centred, base


def _matrix(parts: Parts) -> Callable[[pd.DataFrame], Floats]:
    """Return what makes the matrix that the end's splits or weights are of."""

    def prepare(X: pd.DataFrame) -> Floats:
        made = X if parts.prepare is None else parts.prepare(X)
        if is_histogram_boosting(parts.end):
            from raikit.explanation.trees import prepared  # numba stays out of other models

            return prepared(parts.end, made)
        return dense(made)

    return prepare


_Explain = Callable[[Any, Floats, Floats, Any, int], _Found]


def _explainer_of(end: Any) -> _Explain | None:
    if is_histogram_boosting(end):
        return _histogram_boosting
    if is_linear_model(end):
        return _linear
    return _shap_trees if is_tree_model(end) else None


def _histogram_boosting(
    end: Any, Z: Floats, background: Floats, owner: Any, columns: int
) -> _Found:
    from raikit.explanation.trees import decisions, forest_of, shapley_values  # as above

    rows, others = decisions(end, Z), decisions(end, background)
    return _Found("trees", shapley_values(forest_of(end, owner), rows, others, columns))


def _linear(end: Any, Z: Floats, background: Floats, owner: Any, columns: int) -> _Found:
    """Return coefficient times the difference from the background's mean, as linear SHAP is."""
    weights = np.atleast_2d(np.asarray(end.coef_, dtype=np.float64))
    values = (Z - background.mean(axis=0))[:, :, None] * weights.T[None]
    return _Found("linear", grouped(values, owner, columns))


def _shap_trees(end: Any, Z: Floats, background: Floats, owner: Any, columns: int) -> _Found:
    import shap  # some seconds, and only for trees
    from shap.utils._exceptions import ExplainerError

    try:
        explainer = shap.TreeExplainer(end, background, feature_perturbation="interventional")
        values, base = explainer.shap_values(Z, check_additivity=False), None
    except (NotImplementedError, ExplainerError):
        # Of splits on categories shap has no game against a background, only the one along the
        # trees' own paths, whose base is the mean over the training rows.
        explainer = shap.TreeExplainer(end)
        values = explainer.shap_values(Z, check_additivity=False)
        base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))
    values = np.asarray(values, dtype=np.float64)
    return _Found("shap_trees", grouped(values.reshape(*Z.shape, -1), owner, columns), base)


def permutation_shapley(
    score: Callable[[pd.DataFrame], Floats],
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    rounds: int = 2,
    seed: int = 0,
) -> Floats:
    """Estimate Shapley values from predictions alone.

    In an order of the columns, one after another goes from the background's value to the row's; the
    change of the mean score is that column's. Each order is gone there and back, which makes the
    values exact of every function without interactions of three or more columns (R. Mitchell et
    al., "Sampling permutations for Shapley value estimation", JMLR 23 (2022), section 3.3), and
    their sum exact of any.

    Args:
        score: Of raw columns, shape (rows, outputs).
        rows: Rows to explain.
        background: Rows that they are compared with.
        rounds: Orders; each row has its own.
        seed: Of the orders.

    Returns:
        Shape (rows, columns, outputs).
    """
    rng = np.random.default_rng(seed)
    count = rows.shape[1]
    base, own = score(background).mean(axis=0), score(rows)
    each = 2 * rounds * max(1, count - 1)
    at_once = max(1, _AT_ONCE // (each * len(background)))
    found = []
    for start in range(0, len(rows), at_once):
        chosen = rows.iloc[start : start + at_once]
        ways = np.array([_ways(rng, count, rounds) for _ in range(len(chosen))])
        between = _mean_scores(score, chosen, background, ways)
        found.append(_changes(between, ways, base, own[start : start + at_once]))
    return np.concatenate(found)


def _ways(rng: np.random.Generator, count: int, rounds: int) -> Any:
    """Return orders of the columns, each and its reverse, shape (2 * rounds, columns)."""
    orders = [rng.permutation(count) for _ in range(rounds)]
    return np.array([way for order in orders for way in (order, order[::-1])])


def _mean_scores(
    score: Callable[[pd.DataFrame], Floats], rows: pd.DataFrame, background: pd.DataFrame, ways: Any
) -> Floats:
    """Return the mean scores between the ends of each way, shape (rows, ways, steps, outputs).

    At step k the first k + 1 columns of the way are the row's, the others the background's.
    """
    steps = rows.shape[1] - 1
    place = np.argsort(ways, axis=2)
    shape = (*ways.shape[:2], steps, len(background))
    columns = {}
    for number, name in enumerate(rows.columns):
        is_own = place[:, :, number, None] <= np.arange(steps)
        mine = rows[name].to_numpy()[:, None, None, None]
        theirs = background[name].to_numpy()
        mixed = np.where(is_own[..., None], mine, np.broadcast_to(theirs, shape))
        columns[name] = pd.Series(mixed.ravel(), dtype=rows[name].dtype)
    if not steps:  # one column has nothing between
        return np.empty((*shape[:3], score(rows.head(1)).shape[1]))
    said = score(pd.DataFrame(columns))
    return np.asarray(said.reshape(*shape, -1).mean(axis=3))


def _changes(between: Floats, ways: Any, base: Floats, own: Floats) -> Floats:
    """Return each column's mean change of the score, shape (rows, columns, outputs)."""
    rows, each, _, outputs = between.shape
    first = np.broadcast_to(base, (rows, each, 1, outputs))
    last = np.broadcast_to(own[:, None, None, :], (rows, each, 1, outputs))
    changes = np.diff(np.concatenate([first, between, last], axis=2), axis=2)
    by_column = np.take_along_axis(changes, np.argsort(ways, axis=2)[..., None], axis=2)
    return np.asarray(by_column.mean(axis=1))

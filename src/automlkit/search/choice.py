"""Chooses between the best trial, a vote of trials, and a stack of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automlkit.request import StackEnsemble, Training
from automlkit.search.objective import Floats
from automlkit.search.selection import (
    Truth,
    Verdict,
    blend,
    compare,
    crossfit_best,
    crossfit_vote,
    limited,
    parts_of,
    vote_weights,
)
from automlkit.search.trials import Trial
from automlmodel.ensemble import aligned, stacked_features

#: Milliseconds that one row may take in the delivered model, with room for a busy machine.
MOST_MS = 12.0
#: Trials that an ensemble is chosen from, beside the best of each learner.
CANDIDATES = 20
#: Members of a stack at most.
STACKED = 6


@dataclass(frozen=True)
class Ensemble:
    """A vote or a stack as a trial of its own.

    Attributes:
        algorithm: `VotingEnsemble` or `StackEnsemble`.
        members: Trials, and their weights (1 each in a stack).
        meta: A stack's fitted meta-learner, else None.
        predictions: Of all validation rows, each made without the row.
        verdict: How it compares with what it would replace.
    """

    algorithm: str
    members: Sequence[tuple[Trial, float]]
    meta: Any
    predictions: Floats
    verdict: Verdict


@dataclass(frozen=True)
class Choice:
    """What is delivered.

    Attributes:
        trial: The best single trial.
        ensembles: Those that were made.
        chosen: The one of them that is delivered, or None for the trial.
        reason: Why, for a reader.
        rounds: Rounds of folds that the judgement rests on.
    """

    trial: Trial
    ensembles: Sequence[Ensemble]
    chosen: Ensemble | None
    reason: str
    rounds: int
    runners_up: Sequence[Trial] = field(default_factory=tuple)

    @property
    def members(self) -> Sequence[tuple[Trial, float]]:
        """The trials whose models are delivered, with their weights."""
        return ((self.trial, 1.0),) if self.chosen is None else self.chosen.members


def pool_of(completed: Sequence[Trial]) -> tuple[list[Trial], int]:
    """Return the trials to choose from, the best first, and the rounds that all of them have.

    Where three or more were repeated with other folds, only those, and as many rounds as three
    have: a mean over rounds is less by chance. A trial that takes too long for one row is left out,
    unless all do.
    """
    quick = [one for one in completed if one.predict_ms <= MOST_MS] or list(completed)
    rounds, repeated = 1, quick
    for count in range(2, 1 + max(len(one.predictions) for one in quick)):
        found = [one for one in quick if len(one.predictions) >= count]
        if len(found) >= min(3, len(quick)):
            rounds, repeated = count, found
    firsts = {one.algorithm: one for one in reversed(repeated)}
    wanted = {one.number for one in (*repeated[:CANDIDATES], *firsts.values())}
    return [one for one in repeated if one.number in wanted], rounds


def choose(
    completed: Sequence[Trial], truths: Sequence[Truth], training: Training, seed: int
) -> Choice:
    """Choose what is delivered.

    Args:
        completed: Completed trials, the best first; at least one.
        truths: True values of each round's validation rows, the folds one after the other.
        training: Which ensembles may be made.
        seed: Of the parts and samples that a judgement rests on.
    """
    pool, rounds = pool_of(completed)
    truth = Truth(
        np.concatenate([one.values for one in truths[:rounds]]),
        np.concatenate([one.weights for one in truths[:rounds]]),
        truths[0].loss,
    )
    predictions = [
        np.concatenate([one.predictions[number] for number in range(rounds)]).astype(np.float64)
        for one in pool
    ]
    best = Choice(pool[0], (), None, "the best trial", rounds, pool[1:])
    if len(pool) < 2:
        return best
    made = []
    single = crossfit_best(predictions, truth, seed)
    standing, name = single, f"the best trial ({pool[0].algorithm})"
    chosen: Ensemble | None = None
    reasons = []
    for build, wanted in (
        (_vote, training.enable_vote_ensemble),
        (_stack, training.enable_stack_ensemble),
    ):
        if not wanted:
            continue
        candidate = build(pool, predictions, truth, standing, training, seed)
        if candidate is None:
            continue
        made.append(candidate)
        reasons.append(_said(candidate, name))
        if candidate.verdict.is_above_noise:
            chosen, standing = candidate, candidate.predictions
            name = f"the {candidate.algorithm}"
    reason = f"{name} is delivered" + "".join(f"; {one}" for one in reasons)
    return Choice(pool[0], made, chosen, reason, rounds, pool[1:])


def _said(candidate: Ensemble, name: str) -> str:
    verdict = candidate.verdict
    is_better = "above" if verdict.is_above_noise else "not above"
    return (
        f"the gain of the {candidate.algorithm} over {name}, on rows that neither was chosen on, "
        f"is {verdict.gain:.3g} with a standard error of {verdict.error:.2g}: {is_better} the noise"
    )


def _vote(
    pool: Sequence[Trial],
    predictions: Sequence[Floats],
    truth: Truth,
    standing: Floats,
    training: Training,  # noqa: ARG001 - a stack has settings, a vote none
    seed: int,
) -> Ensemble | None:
    costs = [one.predict_ms for one in pool]
    rows = limited(np.arange(len(truth.values)), seed)
    weights = vote_weights(predictions, truth, rows, costs=costs, most_cost=MOST_MS)
    if len(weights) < 2:
        return None
    found = crossfit_vote(predictions, truth, seed, costs=costs, most_cost=MOST_MS)
    members = sorted(((pool[n], weight) for n, weight in weights.items()), key=lambda one: -one[1])
    verdict = compare(found, standing, truth, seed)
    return Ensemble("VotingEnsemble", members, None, found, verdict)


def _stack(
    pool: Sequence[Trial],
    predictions: Sequence[Floats],
    truth: Truth,
    standing: Floats,
    training: Training,
    seed: int,
) -> Ensemble | None:
    numbers = _stacked(pool)
    if len(numbers) < 2:
        return None
    settings = training.stack_ensemble_settings
    parts = [predictions[number] for number in numbers]
    is_classification = parts[0].ndim == 2
    stacked = stacked_features(parts) if is_classification else np.column_stack(parts)
    every = np.arange(len(truth.values))
    found = np.zeros_like(standing)
    for part in parts_of(len(every), seed):
        others = limited(np.setdiff1d(every, part), seed)
        meta = _meta(settings, truth, stacked, others, seed)
        found[part] = _meta_predictions(meta, stacked[part], standing)
    meta = _meta(settings, truth, stacked, limited(every, seed), seed)
    members = [(pool[number], 1.0) for number in numbers]
    verdict = compare(found, standing, truth, seed)
    return Ensemble("StackEnsemble", members, meta, found, verdict)


def _stacked(pool: Sequence[Trial]) -> list[int]:
    """Return the best of each learner, as many as one row's time allows."""
    taken: dict[str, int] = {}
    spent = 0.0
    for number, trial in enumerate(pool):
        is_quick = spent + trial.predict_ms <= MOST_MS
        if trial.algorithm not in taken and len(taken) < STACKED and is_quick:
            taken[trial.algorithm] = number
            spent += trial.predict_ms
    return sorted(taken.values())


def _meta(
    settings: StackEnsemble, truth: Truth, stacked: Floats, rows: NDArray[Any], seed: int
) -> Any:
    meta = meta_learner(settings, is_classification=truth.values.dtype.kind == "i", seed=seed)
    return meta.fit(stacked[rows], truth.values[rows], sample_weight=truth.weights[rows])


def _meta_predictions(meta: Any, stacked: Floats, like: Floats) -> Floats:
    if like.ndim == 1:
        return np.asarray(meta.predict(stacked), dtype=np.float64)
    return aligned(meta.predict_proba(stacked), list(meta.classes_), range(like.shape[1]))


#: Meta-learners by Azure's names: linear ones, since a stack's inputs are predictions already.
META_LEARNERS = (
    "None",
    "LogisticRegression",
    "LogisticRegressionCV",
    "ElasticNet",
    "ElasticNetCV",
    "LinearRegression",
    "LightGBMClassifier",
    "LightGBMRegressor",
)


def meta_learner(settings: StackEnsemble, *, is_classification: bool, seed: int) -> Any:
    """Return an unfitted meta-learner.

    Raises:
        ValueError: The request's name is none of `META_LEARNERS`.
    """
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.linear_model import (
        ElasticNet,
        ElasticNetCV,
        LinearRegression,
        LogisticRegression,
        LogisticRegressionCV,
    )

    name = settings.stack_meta_learner_type or "None"
    kwargs: Mapping[str, Any] = settings.stack_meta_learner_kwargs
    if name == "None":
        # A strong pull to 0 keeps predictions that are nearly the same from cancelling out.
        standard = {"C": 0.1, "max_iter": 500} if is_classification else {"positive": True}
        kwargs = {**standard, **kwargs}
        name = "LogisticRegression" if is_classification else "LinearRegression"
    makers = {
        "LogisticRegression": LogisticRegression,
        "LogisticRegressionCV": LogisticRegressionCV,
        "ElasticNet": ElasticNet,
        "ElasticNetCV": ElasticNetCV,
        "LinearRegression": LinearRegression,
        "LightGBMClassifier": lambda **given: LGBMClassifier(**_quiet(given, seed)),
        "LightGBMRegressor": lambda **given: LGBMRegressor(**_quiet(given, seed)),
    }
    if name not in makers:
        raise ValueError(f"no meta-learner named {name!r}; known: {', '.join(META_LEARNERS)}")
    return makers[name](**kwargs)


def _quiet(given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {"verbose": -1, "n_jobs": 1, "random_state": seed, "n_estimators": 50, **given}


def vote_predictions(ensemble: Ensemble, rounds: int) -> Floats:
    """Return a vote's weighted mean over its members' out-of-fold predictions."""
    stacked = [
        np.concatenate([trial.predictions[number] for number in range(rounds)])
        for trial, _ in ensemble.members
    ]
    return blend(stacked, {n: weight for n, (_, weight) in enumerate(ensemble.members)})

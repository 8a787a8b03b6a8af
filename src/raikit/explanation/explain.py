"""The whole explanation of a model, from a table of training rows and one of test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.explanation.agreement import Agreement, agreement_of
from raikit.explanation.effects import Effect, effect_of
from raikit.explanation.glassbox import Term, column_importances, terms_of
from raikit.explanation.importance import (
    Association,
    Importance,
    associations,
    permutation_importance,
)
from raikit.explanation.shapley import Contributions, contributions
from raikit.explanation.subject import Subject
from raikit.explanation.surrogate import Surrogate, fit_surrogate
from stepkit.metrics import Floats
from stepkit.program import StepError
from stepkit.table import require_column

#: Rows of a typical explanation: these places in the order of scores.
TYPICAL = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Settings:
    """How much is looked at; each count is of rows that are drawn, or all where there are fewer.

    Attributes:
        rows: Numbers of test rows to explain, from 0 in the order of the table.
        worst: How many of the worst-predicted test rows to explain.
        unit: Of contributions to classes.
        explained: Test rows whose contributions make the overall picture.
        background: Training rows that each is compared with.
        shuffled: Test rows for permutation importance, and to hold the surrogate against.
        repeats: How often each column is shuffled.
        columns: How many of the strongest columns have their effects told.
        accumulated: Training rows for the effects.
        leaves: Of the surrogate tree.
        seed: Of every draw.
    """

    rows: Sequence[int] = ()
    worst: int = 5
    unit: Literal["auto", "probability", "log_odds"] = "auto"
    explained: int = 400
    background: int = 100
    shuffled: int = 2_500
    repeats: int = 6
    columns: int = 8
    accumulated: int = 3_000
    leaves: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Local:
    """One test row explained.

    Attributes:
        row: Its number in the table, from 0.
        why: `chosen`, `worst`, or `typical`.
        values: Its raw columns.
        truth: Class as text, or quantity.
        predicted: The same, as the model says.
        probability: Of the predicted class; None for a quantity.
        loss: -ln of the true class's probability, or |error|.
        output: Number of the output whose contributions are shown first: the predicted class's.
        contributions: Shape (columns, outputs).
        scores: Shape (outputs,).
    """

    row: int
    why: str
    values: Mapping[str, Any]
    truth: str | float
    predicted: str | float
    probability: float | None
    loss: float
    output: int
    contributions: Floats
    scores: Floats


@dataclass(frozen=True)
class Explanation:
    """What was found out about a model.

    Attributes:
        subject: The model.
        X: Raw columns of the explained test rows, as many as `shap` has.
        shap: Their contributions.
        importance: Loss of the metric by shuffling.
        associations: Columns that tell much of the same.
        effects: Of the strongest columns, by name.
        surrogate: The tree that imitates the model.
        terms: Of an EBM; else none.
        agreement: How far the ways to rank columns agree.
        local: Explained rows.
        order: Numbers of the columns, the strongest first.
        told_over: Training rows that effects and associations are of.
        settings: How much was looked at.
    """

    subject: Subject
    X: pd.DataFrame
    shap: Contributions
    importance: Importance
    associations: Sequence[Association]
    effects: Mapping[str, Effect]
    surrogate: Surrogate
    terms: Sequence[Term]
    agreement: Agreement
    local: Sequence[Local]
    order: NDArray[np.intp]
    told_over: int
    settings: Settings = field(default_factory=Settings)


def explain(
    subject: Subject, train: pd.DataFrame, test: pd.DataFrame, settings: Settings | None = None
) -> Explanation:
    """Explain a model.

    Args:
        subject: The model.
        train: Rows that the model may have seen: the background, and what effects are told over.
        test: Rows that it has not seen, with the target.
        settings: How much is looked at.

    Raises:
        StepError: A column is missing, no test row has a target, or a chosen row is not there.
    """
    settings = settings or Settings()
    labelled = labelled_rows(subject, test)
    chosen = checked_rows(settings.rows, test, subject.target)
    drawn = _drawn(labelled, settings.explained, settings.seed)
    background = subject.columns(_drawn(train, settings.background, settings.seed))
    places = local_rows(subject, labelled, chosen, settings)
    # One call for both: what an explainer prepares, it prepares once.
    wanted = pd.concat([drawn, labelled.loc[list(places)]])
    both = contributions(
        subject, subject.columns(wanted), background, settings.unit, seed=settings.seed
    )
    shap, own = _part(both, slice(0, len(drawn))), _part(both, slice(len(drawn), None))
    order = np.argsort(-shap.strength, kind="stable")
    sample = _drawn(labelled, settings.shuffled, settings.seed)
    importance = permutation_importance(
        subject, sample, repeats=settings.repeats, seed=settings.seed
    )
    spread = subject.columns(_drawn(train, settings.accumulated, settings.seed))
    terms = terms_of(subject)
    surrogate = fit_surrogate(
        subject, spread, subject.columns(sample), leaves=settings.leaves, seed=settings.seed
    )
    others = {"surrogate tree": surrogate.importance}
    if terms:
        others = {"the model's own terms": column_importances(terms, len(order)), **others}
    return Explanation(
        subject=subject,
        X=subject.columns(drawn),
        shap=shap,
        importance=importance,
        associations=associations(subject, spread),
        effects={
            name: effect_of(subject, name, spread)
            for name in (subject.names[place] for place in order[: settings.columns])
        },
        surrogate=surrogate,
        terms=terms,
        agreement=agreement_of(shap, importance, others, settings.seed),
        local=explained_rows(subject, labelled, places, own),
        order=order,
        told_over=len(spread),
        settings=settings,
    )


def labelled_rows(subject: Subject, test: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a target, numbered by their place in the table.

    Raises:
        StepError: There is no such column, or no such row.
    """
    require_column(test, subject.target, "target column")
    numbered = test.reset_index(drop=True)
    labelled = numbered[numbered[subject.target].notna()]
    if labelled.empty:
        raise StepError(f"no test row has a value in the target column {subject.target!r}")
    return labelled


def _drawn(table: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    return table.sample(min(rows, len(table)), random_state=seed)


def _part(whole: Contributions, rows: slice) -> Contributions:
    return replace(whole, values=whole.values[rows], scores=whole.scores[rows])


def checked_rows(rows: Sequence[int], test: pd.DataFrame, target: str) -> Sequence[int]:
    """Return the numbers of chosen rows.

    Raises:
        StepError: The table has no such row, or the row no target.
    """
    for row in rows:
        if not 0 <= row < len(test):
            raise StepError(f"no row {row} in the test data", hint=f"rows are 0 to {len(test) - 1}")
        if pd.isna(test[target].iloc[row]):
            raise StepError(f"test row {row} has no {target!r}", hint="choose another row")
    return rows


def losses(subject: Subject, truth: Any, predictions: Floats) -> Floats:
    """Return each row's loss: -ln of the true class's probability, or |error|."""
    if subject.task == "regression":
        return np.asarray(np.abs(truth - predictions[:, 0]))
    own = np.where(truth >= 0, predictions[np.arange(len(truth)), truth], 0.0)
    return np.asarray(-np.log(np.maximum(own, 1e-12)))


def local_rows(
    subject: Subject, labelled: pd.DataFrame, chosen: Sequence[int], settings: Settings
) -> dict[int, str]:
    """Return the rows to explain, each with why: those chosen, else typical ones, and the worst.

    Args:
        subject: The model.
        labelled: Test rows with a target, numbered by their index.
        chosen: Numbers of chosen rows.
        settings: How many of the worst.
    """
    predictions = subject.predictions(subject.columns(labelled))
    found = dict.fromkeys(chosen, "chosen")
    if not chosen:
        score = subject.in_unit(predictions, subject.plain_unit)[:, 0]
        ranked = np.argsort(score, kind="stable")
        typical = ranked[[round(share * (len(ranked) - 1)) for share in TYPICAL]]
        found = dict.fromkeys(labelled.index[typical].tolist(), "typical")
    loss = losses(subject, subject.truth(labelled), predictions)
    worst = labelled.index[np.argsort(-loss, kind="stable")[: settings.worst]]
    return {**dict.fromkeys(worst.tolist(), "worst"), **found}


def explained_rows(
    subject: Subject, labelled: pd.DataFrame, places: Mapping[int, str], own: Contributions
) -> tuple[Local, ...]:
    """Put contributions beside rows, what they truly are, and what the model says of them."""
    rows = labelled.loc[list(places)]
    X, truth = subject.columns(rows), subject.truth(rows)
    predictions = subject.predictions(X)
    loss = losses(subject, truth, predictions)
    found = []
    for place, (row, why) in enumerate(places.items()):
        true, said, output = truth[place], predictions[place], 0
        probability: float | None = None
        actual: str | float = float(true)
        predicted: str | float = float(said[0])
        if subject.task == "classification":
            best = int(said.argmax())
            actual, predicted = str(rows[subject.target].iloc[place]), subject.classes[best]
            probability = float(said[best])
            output = best if subject.positive is None else 0
        found.append(
            Local(
                row=int(row),
                why=why,
                values=dict(zip(subject.names, X.iloc[place], strict=True)),
                truth=actual,
                predicted=predicted,
                probability=probability,
                loss=float(loss[place]),
                output=output,
                contributions=own.values[place],
                scores=own.scores[place],
            )
        )
    return tuple(found)

"""One search from its tables to its model, part by part."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from automlkit.columns import purposes
from automlkit.data import Tables, load
from automlkit.events import Events, Setup
from automlkit.featurize import featurization_rows, make_featurizer
from automlkit.guardrails import guardrail_rows
from automlkit.learners import choose as choose_learners
from automlkit.metrics import greater_is_better
from automlkit.request import Request
from automlkit.search.budget import Budget
from automlkit.search.choice import META_LEARNERS
from automlkit.search.context import Context, Fold
from automlkit.search.loop import Plan
from automlkit.search.objective import loss_of
from automlkit.search.proposals import Candidate
from automlkit.search.selection import Truth
from automlkit.splits import Validation, plan_validation
from automlkit.worker import Starter
from stepkit.program import StepError

#: Rows under which trials that lead are repeated with other folds, and how many rounds there are.
ROUNDS = ((1_000, 3), (5_000, 2))
#: Rounds of a hold-out: the best of many trials on a tenth of the rows is the luckiest one as well,
#: and what an ensemble gains is far below the noise of so few.
HOLD_OUT_ROUNDS = 4
#: Rows that the description of features rests on at most.
DESCRIBED_ROWS = 5_000


@dataclass(frozen=True)
class Session:
    """A search that has read its tables.

    Attributes:
        request: What is asked for.
        out: The folder for all that is written.
        events: Told of what happens.
        budget: The clock.
        starter: What starts worker processes.
        tables: The tables.
        validation: How models are compared.
        context: What worker processes are given.
        candidates: Learners.
        featurization: One row a column, as in `Setup`.
    """

    request: Request
    out: Path
    events: Events
    budget: Budget
    starter: Starter
    tables: Tables
    validation: Validation
    context: Context
    candidates: Sequence[Candidate]
    featurization: list[dict[str, Any]]

    @classmethod
    def begin(
        cls, request: Request, out: Path, events: Events, budget: Budget, starter: Starter
    ) -> Session:
        """Read the tables, decide how models are compared, and tell of it.

        Raises:
            stepkit.program.StepError: The request or its data is wrong.
        """
        _check(request)
        tables = load(request)
        validation = plan_validation(request, tables)
        columns = purposes(tables.train.X, request.featurization)
        classes = list(tables.classes) if request.task == "classification" else None
        learners = choose_learners(request)
        places = range(len(tables.train.y))
        delivered = validation.folds[0][0] if validation.kind == "given" else np.array(places)
        context = Context(
            request.task,
            validation.rows.X,
            validation.rows.y,
            validation.rows.weights,
            _rounds(request, tables, validation),
            delivered,
            columns,
            request.featurization,
            classes,
            {learner.name: learner for learner in learners},
            request.seed,
            request.positive_label,
        )
        rows = len(tables.train.y)
        candidates = [
            Candidate(
                learner.name,
                learner.portfolio(request.task, rows, columns, classes),
                partial(learner.space, request.task, rows),
            )
            for learner in learners
        ]
        featurization = _described(context)
        guardrails = guardrail_rows(request, tables, columns, validation)
        events.tell(Setup(validation.describe(), featurization, guardrails))
        return cls(
            request,
            out,
            events,
            budget,
            starter,
            tables,
            validation,
            context,
            candidates,
            featurization,
        )

    def plan(self) -> Plan:
        """Return what decides how trials run."""
        folds = self.context.rounds[0]
        trained = float(np.mean([len(fold.train) for fold in folds]))
        return Plan(
            limits=self.request.limits,
            primary_metric=self.request.primary_metric,
            is_greater_better=greater_is_better(self.request.primary_metric),
            folds=len(folds),
            rows_a_fold=float(np.mean([len(fold.valid) for fold in folds])),
            cores=max(1, self.request.cores),
            refit_share=len(self.context.delivered_rows) / trained,
        )

    def truths(self) -> list[Truth]:
        """Return true values of each round's validation rows, the folds one after the other."""
        target, weights = self.context.target, self.context.weights
        if self.context.classes is None:
            values = target.to_numpy(dtype=np.float64)
        else:
            values = pd.Index(self.context.classes).get_indexer(pd.Index(target.to_numpy()))
        each = np.ones(len(values)) if weights is None else weights.to_numpy(dtype=np.float64)
        rows = [np.concatenate([fold.valid for fold in folds]) for folds in self.context.rounds]
        loss = loss_of(self.request.primary_metric)
        return [Truth(values[places], each[places], loss) for places in rows]

    def key(self) -> str:
        """Return a digest of what trials depend on: the data, and the request but its limits."""
        facts = msgspec.to_builtins(self.request)
        for name in ("limits", "test_data", "training_data", "validation_data"):
            del facts[name]
        digest = hashlib.sha256(msgspec.json.encode(facts, order="sorted"))
        for table in (self.context.table, self.context.target.to_frame()):
            digest.update(pd.util.hash_pandas_object(table.astype(str)).to_numpy().tobytes())
        for fold in self.context.rounds[0]:
            digest.update(np.ascontiguousarray(fold.valid).tobytes())
        return digest.hexdigest()


def _check(request: Request) -> None:
    named = request.training.stack_ensemble_settings.stack_meta_learner_type
    if named is not None and named not in META_LEARNERS:
        raise StepError(
            f"no stack_meta_learner_type {named!r}", hint=f"known: {', '.join(META_LEARNERS)}"
        )
    try:
        loss_of(request.primary_metric)
    except KeyError:
        raise StepError(
            f"{request.primary_metric!r} is no primary metric of {request.task}"
        ) from None


def _described(context: Context) -> list[dict[str, Any]]:
    """Return what becomes of each column, by a featurizer of linear models, fitted on some rows."""
    rows = context.delivered_rows
    rows = np.random.default_rng(0).choice(rows, min(len(rows), DESCRIBED_ROWS), replace=False)
    target = context.target.iloc[rows]
    count = len(context.classes or ())
    featurizer = make_featurizer(
        context.columns, context.featurization, "linear", class_count=count, seed=context.seed
    )
    if context.classes is not None:
        target = pd.Series(pd.Index(context.classes).get_indexer(pd.Index(target.to_numpy())))
    featurizer.fit(context.table.iloc[rows], target.to_numpy())
    return featurization_rows(context.columns, featurizer)


def _rounds(request: Request, tables: Tables, validation: Validation) -> list[list[Fold]]:
    folds, count = [validation.folds], 1
    if validation.kind == "holdout":
        count = HOLD_OUT_ROUNDS
    elif validation.kind == "cross_validation" and tables.split_columns is None:
        count = next((n for rows, n in ROUNDS if len(tables.train.y) < rows), 1)
    for number in range(1, count):
        again = msgspec.structs.replace(request, seed=request.seed + 7919 * number)
        folds.append(plan_validation(again, tables).folds)
    return [[Fold(train, valid) for train, valid in each] for each in folds]

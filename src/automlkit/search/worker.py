"""A worker process: fits what it is asked to, until it is told to end or its parent is gone.

It is started once and kept for many trials, since importing the learners costs seconds. It holds
no state between pieces of work but the context, so the parent may kill it at any moment.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from automlkit.metrics import score_all
from automlkit.search.objective import Floats
from automlkit.search.work import (
    Answer,
    Context,
    Failure,
    FinalDone,
    FinalWork,
    Fold,
    FoldDone,
    FoldWork,
)
from automlmodel.ensemble import aligned
from stepkit.program import write_bytes

#: Predictions of one row that are timed; the quickest counts, since others share the machine.
TIMED_ROWS = 5
#: Validation rows of a fold from which early stopping goes by them, and else the share of the
#: training rows that is set aside for it.
ROWS_TO_STOP_BY = 1000
STOPPING_SHARE = 0.2
#: Seconds of fitting from which a fold's model is kept; one that is quicker is fitted again.
WORTH_KEEPING = 1.0


def serve(connection: Connection, context_file: Path) -> None:
    """Answer pieces of work one by one.

    Args:
        connection: Work comes in by it, and answers go out; None ends the worker.
        context_file: A pickled `Context`.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What a learner warns of (a solver at its limit) shows in its score; nobody reads it here.
    warnings.simplefilter("ignore")
    context: Context = cloudpickle.loads(context_file.read_bytes())
    while True:
        try:
            work = connection.recv()
        except EOFError:
            return
        if work is None:
            return
        connection.send(perform(work, context))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def perform(work: FoldWork | FinalWork, context: Context) -> Answer:
    """Do a piece of work; whatever a learner raises becomes a `Failure`."""
    try:
        # Threads, not processes: nothing outlives a worker that is killed, and tables are shared.
        with (
            threadpool_limits(limits=work.threads),
            joblib.parallel_config(backend="threading", n_jobs=work.threads),
        ):
            return _final(work, context) if isinstance(work, FinalWork) else _fold(work, context)
    except MemoryError as error:
        return Failure("memory", f"out of memory {error}".strip())
    except Exception as error:  # noqa: BLE001 - a learner may raise anything, told as a failed trial
        return Failure("error", f"{type(error).__name__}: {error}")


def _build(work: FoldWork | FinalWork, context: Context, config: dict[str, Any]) -> Any:
    return context.builders[work.algorithm].build(
        context.task,
        config,
        columns=context.columns,
        featurization=context.featurization,
        threads=work.threads,
        seed=context.seed,
        classes=context.classes,
    )


def _fitted(model: Any, context: Context, rows: NDArray[np.intp], stop_by: Any = None) -> Any:
    weights = None if context.weights is None else context.weights.iloc[rows]
    options: dict[str, Any] = {"sample_weight": weights}
    if stop_by is not None and getattr(model, "stopping", None) is not None:
        options["eval_set"] = (context.table.iloc[stop_by], context.target.iloc[stop_by])
    return model.fit(context.table.iloc[rows], context.target.iloc[rows], **options)


def stopping_rows(
    fold: Fold, is_class: bool, target: pd.Series, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that a fold is fitted on, and those that early stopping goes by.

    Many validation rows serve both: one number learned from them hardly flatters their score. Of
    few, the number of iterations would fit their noise, so training rows are set aside for it.
    """
    if len(fold.valid) >= ROWS_TO_STOP_BY:
        return fold.train, fold.valid
    labels = target.iloc[fold.train]
    can_stratify = is_class and int(labels.value_counts().min()) >= 2 / STOPPING_SHARE
    kept, aside = train_test_split(
        fold.train,
        test_size=STOPPING_SHARE,
        random_state=seed,
        stratify=labels if can_stratify else None,
    )
    return np.sort(kept), np.sort(aside)


def _fold(work: FoldWork, context: Context) -> FoldDone:
    start = time.perf_counter()
    fold = context.rounds[work.round][work.fold]
    model = _build(work, context, dict(work.config))
    rows, aside = fold.train, None
    if getattr(model, "stopping", None) is not None:
        is_class = context.classes is not None
        rows, aside = stopping_rows(fold, is_class, context.target, context.seed + work.fold)
    model = _fitted(model, context, rows, aside)
    predicted = predictions_of(model, context.table.iloc[fold.valid], context)
    seconds = time.perf_counter() - start
    if not np.isfinite(predicted).all():
        raise ValueError("it predicts what is not a finite number")
    if work.keep is not None and seconds > WORTH_KEEPING:
        write_bytes(work.keep, cloudpickle.dumps(model))
    return FoldDone(
        predicted.astype(np.float32),
        seconds,
        predict_milliseconds(
            lambda row: predictions_of(model, row, context), context.table.iloc[fold.valid]
        ),
        _iterations(model),
        metrics_of(predicted, fold.valid, context),
    )


def metrics_of(predicted: Floats, rows: NDArray[np.intp], context: Context) -> dict[str, float]:
    """Return all metrics of predictions of some rows."""
    extent = None
    if context.classes is None:
        extent = (float(context.target.min()), float(context.target.max()))
    return score_all(
        context.task,
        context.target.iloc[rows],
        predicted,
        classes=context.classes,
        weights=None if context.weights is None else context.weights.iloc[rows],
        y_train_range=extent,
        positive_label=context.positive_label,
    )


def _final(work: FinalWork, context: Context) -> FinalDone:
    start = time.perf_counter()
    config = dict(work.config)
    counted = getattr(context.builders[work.algorithm], "iterations", None)
    if work.iterations is not None and counted is not None:
        config[counted] = work.iterations
    model = _fitted(_build(work, context, config), context, context.delivered_rows)
    write_bytes(work.keep, cloudpickle.dumps(model))
    return FinalDone(time.perf_counter() - start)


def _iterations(model: Any) -> int | None:
    found = getattr(model, "best_iteration_", None)
    return None if found is None else int(found)


def predictions_of(model: Any, rows: pd.DataFrame, context: Context) -> Floats:
    """Return predicted numbers, or probabilities with one column each of the context's classes."""
    if context.classes is None:
        return np.asarray(model.predict(rows), dtype=np.float64)
    return aligned(model.predict_proba(rows), list(model.classes_), list(context.classes))


def predict_milliseconds(predict: Callable[[pd.DataFrame], Any], table: pd.DataFrame) -> float:
    """Return the milliseconds that a prediction of one row takes, the quickest of some."""
    predict(table.iloc[:1])
    best = float("inf")
    for number in range(TIMED_ROWS):
        row = table.iloc[[number % len(table)]]
        start = time.perf_counter()
        predict(row)
        best = min(best, time.perf_counter() - start)
    return best * 1000

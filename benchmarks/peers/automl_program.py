"""Runs one AutoML system on one table: the program that `benchmarks/automl.py` starts.

It runs in the system's own virtual environment, so it imports nothing of this project. It writes
`predictions.npy` (probabilities in the order of the sorted labels, or numbers) and `facts.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Single rows whose prediction is timed; the median counts.
TIMED_ROWS = 30


@dataclass
class Job:
    """What is to be done: the arguments, and the tables."""

    task: str
    target: str
    metric: str
    budget: float
    seed: int
    cores: int
    folder: Path
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def features(self) -> pd.DataFrame:
        """The training rows without the target."""
        return self.train.drop(columns=self.target)

    @property
    def labels(self) -> pd.Series:
        """The target of the training rows."""
        return self.train[self.target]

    @property
    def is_classification(self) -> bool:
        """Whether classes are learned."""
        return self.task == "classification"


#: From rows of features to predictions.
Predict = Callable[[pd.DataFrame], Any]


def amlocal(job: Job) -> Predict:
    """Run `python -m automlkit`, and load the delivered MLflow model."""
    request = {
        "task": job.task,
        "primary_metric": job.metric,
        "target_column_name": job.target,
        "training_data": str(job.folder / "train.parquet"),
        # As the others, it has the time that it is given, whether it gains or not.
        "limits": {"timeout_seconds": job.budget, "enable_early_termination": False},
        "seed": job.seed,
        "cores": job.cores,
    }
    file, out = job.folder / "request.json", job.folder / "out"
    file.write_text(json.dumps(request))
    command = [sys.executable, "-m", "automlkit", "--request", str(file), "--out", str(out)]
    subprocess.run(command, check=True)
    _fitted(job)
    import mlflow

    model = mlflow.sklearn.load_model(str(out / "model"))
    return model.predict_proba if job.is_classification else model.predict


def _flaml(job: Job, *, ensemble: bool) -> Predict:
    from flaml import AutoML

    automl = AutoML()
    automl.fit(
        job.features,
        job.labels,
        task=job.task,
        metric=_flaml_metric(job),
        time_budget=job.budget,
        n_jobs=job.cores,
        seed=job.seed,
        ensemble=ensemble,
        estimator_list=["lgbm", "xgboost", "xgb_limitdepth", "rf", "extra_tree"],
        verbose=0,
        mlflow_logging=False,
    )
    return automl.predict_proba if job.is_classification else automl.predict


def _flaml_metric(job: Job) -> str:
    if not job.is_classification:
        return "rmse"
    return "roc_auc" if job.labels.nunique() == 2 else "roc_auc_ovr_weighted"


def flaml(job: Job) -> Predict:
    """Run FLAML as it is."""
    return _flaml(job, ensemble=False)


def flaml_ensemble(job: Job) -> Predict:
    """Run FLAML with its stacked ensemble."""
    return _flaml(job, ensemble=True)


def _autogluon(job: Job, preset: str) -> Predict:
    from autogluon.tabular import TabularPredictor

    metric = "root_mean_squared_error"
    if job.is_classification:
        metric = "roc_auc" if job.labels.nunique() == 2 else "roc_auc_ovr_weighted"
    predictor = TabularPredictor(
        label=job.target,
        eval_metric=metric,
        path=str(job.folder / "autogluon"),
        verbosity=0,
    )
    predictor.fit(job.train, presets=preset, time_limit=job.budget, num_cpus=job.cores, num_gpus=0)
    if not job.is_classification:
        return predictor.predict
    wanted = sorted(job.labels.unique())
    return lambda table: predictor.predict_proba(table)[wanted]


def autogluon_medium(job: Job) -> Predict:
    """Run AutoGluon's preset of medium quality."""
    return _autogluon(job, "medium_quality")


def autogluon_good(job: Job) -> Predict:
    """Run AutoGluon's preset of good quality."""
    return _autogluon(job, "good_quality")


def hist_gradient_boosting(job: Job) -> Predict:
    """Fit scikit-learn's histogram gradient boosting with its defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if job.is_classification:
        kind = HistGradientBoostingClassifier
    else:
        kind = HistGradientBoostingRegressor
    levels = {
        name: sorted(job.train[name].dropna().unique())
        for name in job.features.select_dtypes(["object", "category"]).columns
    }

    def typed(table: pd.DataFrame) -> pd.DataFrame:
        made = {name: pd.Categorical(table[name], each) for name, each in levels.items()}
        return table.assign(**made)

    model = kind(categorical_features="from_dtype", random_state=job.seed)
    model.fit(typed(job.features), job.labels)
    predict = model.predict_proba if job.is_classification else model.predict
    return lambda table: predict(typed(table))


def ebm(job: Job) -> Predict:
    """Fit an explainable boosting machine: its defaults, but 4 bags, and all cores."""
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    kind = ExplainableBoostingClassifier if job.is_classification else ExplainableBoostingRegressor
    options: dict[str, Any] = {"interactions": 0} if job.labels.nunique() > 2 else {}
    if not job.is_classification:
        options = {}
    model = kind(outer_bags=4, n_jobs=job.cores, random_state=job.seed, **options)
    model.fit(job.features, job.labels)
    return model.predict_proba if job.is_classification else model.predict


SYSTEMS: dict[str, Callable[[Job], Predict]] = {
    "amlocal": amlocal,
    "flaml": flaml,
    "flaml-ensemble": flaml_ensemble,
    "autogluon-medium": autogluon_medium,
    "autogluon-good": autogluon_good,
    "histgb": hist_gradient_boosting,
    "ebm": ebm,
}


def _fitted(job: Job) -> None:
    """Note when the model was there; loading it again does not count."""
    stamp = job.folder / "fitted.txt"
    if not stamp.exists():
        stamp.write_text(str(time.time()))


def _row_milliseconds(predict: Predict, table: pd.DataFrame) -> float:
    taken = []
    for number in range(TIMED_ROWS + 1):
        row = table.iloc[[number % len(table)]]
        start = time.perf_counter()
        predict(row)
        taken.append(time.perf_counter() - start)
    # The first one warms up.
    return float(np.median(taken[1:])) * 1000


def main() -> None:
    """Fit, predict the test rows, and write what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("system", choices=list(SYSTEMS))
    parser.add_argument("folder", type=Path, help="has train.parquet, test.parquet, job.json")
    options = parser.parse_args()
    folder = options.folder.absolute()
    facts = json.loads((folder / "job.json").read_text())
    job = Job(
        **facts,
        folder=folder,
        train=pd.read_parquet(folder / "train.parquet"),
        test=pd.read_parquet(folder / "test.parquet"),
    )
    predict = SYSTEMS[options.system](job)
    _fitted(job)
    rows = job.test.drop(columns=job.target)
    np.save(folder / "predictions.npy", np.asarray(predict(rows), dtype=np.float64))
    found = {"predict_ms": _row_milliseconds(predict, rows), "pid": os.getpid()}
    (folder / "facts.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()

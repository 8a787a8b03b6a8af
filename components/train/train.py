"""Train a scikit-learn pipeline and save it as an MLflow model."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from estimators import CHOICES, Columns, Number, build, features_of

from stepkit.metrics import task_of
from stepkit.model import Model, load_model, score, typed_features
from stepkit.program import StepError, names, run
from stepkit.table import Task, digest, labelled_rows, read_table, require_column, settle_task
from stepkit.tracking import Tracking, tracked

#: Hyperparameters of the estimators, and how to parse them.
HYPERPARAMETERS = {
    "learning_rate": float,
    "max_iter": int,
    "max_leaf_nodes": int,
    "min_samples_leaf": int,
    "l2": float,
}
#: Packages that a saved model needs, pinned as they are here.
REQUIREMENTS = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "cloudpickle")


def sample_weights(table: pd.DataFrame, column: str) -> pd.Series | None:
    """Return each row's weight, or None where no column is named.

    Raises:
        StepError: No such column, or a weight that is missing, negative, or not a number.
    """
    if not column:
        return None
    require_column(table, column, "sample weight column")
    weights = table[column]
    if not pd.api.types.is_numeric_dtype(weights) or weights.isna().any() or (weights < 0).any():
        raise StepError(f"sample weights in {column!r} must be numbers from 0, none missing")
    return weights


def fit(
    pipeline: Any, features: pd.DataFrame, target: pd.Series, weights: pd.Series | None
) -> None:
    """Fit the pipeline in place.

    Raises:
        StepError: The target has one value only.
    """
    if target.nunique() < 2:
        raise StepError(f"target {target.name!r} has one value only: nothing to learn")
    extra = {} if weights is None else {"model__sample_weight": weights.to_numpy()}
    pipeline.fit(features, target, **extra)


def cross_validate(
    pipeline: Any, features: pd.DataFrame, target: pd.Series, task: Task, folds: int
) -> dict[str, float]:
    """Return means over folds: accuracy and its complement, or r2 and rmse, as `cv_...`."""
    from sklearn.model_selection import cross_validate as run_folds  # only where asked for

    scorers = (
        {"accuracy": "accuracy"}
        if task == "classification"
        else {
            "r2": "r2",
            "rmse": "neg_root_mean_squared_error",
        }
    )
    found = run_folds(pipeline, features, target, cv=folds, scoring=scorers)
    means = {f"cv_{name}": abs(float(found[f"test_{name}"].mean())) for name in scorers}
    if task == "regression":
        means["cv_r2"] = float(found["test_r2"].mean())
    return means


def requirements(estimator: str) -> list[str]:
    """Return what a saved model needs, pinned to the versions that it was trained with."""
    package = CHOICES[estimator].package
    return [f"{name}=={version(name)}" for name in (*REQUIREMENTS, *([package] if package else []))]


def save(model: Model, features: pd.DataFrame, folder: Path, estimator: str) -> None:
    """Save as an MLflow model with signature, input example, requirements, and metadata."""
    import mlflow.sklearn  # 2 s, after every check of the data
    from mlflow.models import infer_signature

    # It warns that pickles run code when loaded; the format is chosen knowingly, below.
    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)
    example = features.head(5)
    mlflow.sklearn.save_model(
        model.estimator,
        str(folder),
        signature=infer_signature(features, model.estimator.predict(example)),
        input_example=example,
        # The skops default refuses tree models; Azure ML's images load cloudpickle.
        serialization_format="cloudpickle",
        pip_requirements=requirements(estimator),
        metadata=model.metadata,
    )


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--candidate", type=Path, help="model to be taken instead of training")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--estimator", choices=tuple(CHOICES), default="hist_gradient_boosting")
    parser.add_argument("--ignore", type=names, default=(), help="columns, comma-separated")
    parser.add_argument("--sample-weight", default="", help="column")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cross-validation", type=int, default=0, help="folds; 0 is none")
    for name, kind in HYPERPARAMETERS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)
    parser.add_argument("--model", type=Path, required=True)
    return parser.parse_args(argv)


def take(args: argparse.Namespace, tracking: Tracking) -> None:
    """Let a model that is there already be this step's, as it is.

    Raises:
        StepError: It is no model of this target and task, or it cannot be loaded here.
    """
    model = load_model(args.candidate, target=args.target, task=args.task)
    shutil.copytree(args.candidate, args.model, dirs_exist_ok=True)
    tracking.tags({"candidate": model.metadata.get("training_run_id", str(args.candidate))})
    print(f"took a model that predicts {model.target}: {type(model.estimator).__name__}")


def train(args: argparse.Namespace, tracking: Tracking) -> None:
    """Fit, save, and log one model, or take the candidate; see `parse` for the arguments."""
    whole = read_table(args.data)
    table = labelled_rows(whole, args.target)
    if args.candidate is not None:
        take(args, tracking)
        return
    task = settle_task(args.task, table[args.target])
    columns, left_out = features_of(table, (args.target, args.sample_weight, *args.ignore))
    for name in args.ignore:
        if name not in table.columns:
            print(f"note: column {name!r}, to be ignored, is not in the data")
    for name in left_out:
        print(f"note: column {name!r} is empty or a time, and not used")
    features, target = typed_features(table, columns.kinds), table[args.target]
    given: dict[str, Number] = {
        name: value for name in HYPERPARAMETERS if (value := getattr(args, name)) is not None
    }
    pipeline = build(args.estimator, task, columns, given, args.seed)
    found = (
        cross_validate(pipeline, features, target, task, args.cross_validation)
        if args.cross_validation
        else {}
    )
    start = time.perf_counter()
    fit(pipeline, features, target, sample_weights(table, args.sample_weight))
    seconds = time.perf_counter() - start
    model = Model(
        pipeline,
        task,
        args.target,
        dict(columns.kinds),
        metadata(args, task, whole, tracking.run_id)
        | {"hyperparameters": json.dumps(given), "training_seconds": f"{seconds:.3f}"},
    )
    scores = score(model, features.assign(**{args.target: target}))
    found.update({f"train_{name}": value for name, value in scores.metrics.items()})
    save(model, features, args.model, args.estimator)
    log(tracking, args, pipeline, found, table, columns)


def metadata(
    args: argparse.Namespace, task: Task, table: pd.DataFrame, run_id: str
) -> dict[str, str]:
    """Return what the model says of itself: its task, and where it comes from."""
    facts = {
        "task": task,
        "target": args.target,
        "estimator": args.estimator,
        "sample_weight": args.sample_weight,
        "training_run_id": run_id,
        "train_data_digest": digest(args.data),
        "source_data_digest": str(table.attrs.get("source_digest", "")),
        "data_window": str(table.attrs.get("data_window", "")),
        "code_digest": digest(Path(__file__).parent, "*.py"),
    }
    return {name: value for name, value in facts.items() if value}


def log(
    tracking: Tracking,
    args: argparse.Namespace,
    pipeline: Any,
    found: dict[str, float],
    table: pd.DataFrame,
    columns: Columns,
) -> None:
    """Log the estimator's settings and the metrics, and print the metrics."""
    settings = pipeline.named_steps["model"].get_params(deep=False)
    # Under a prefix, since a job's own inputs may be logged under the plain names.
    tracking.params(
        {f"estimator.{name}": str(value)[:250] for name, value in sorted(settings.items())}
    )
    tracking.metrics({**found, "train_rows": len(table), "features": len(columns.kinds)})
    print(f"trained {args.estimator} on {len(table)} rows, {len(columns.kinds)} features")
    told = {name: value for name, value in found.items() if task_of(name.partition("_")[2])}
    width = max(map(len, told), default=0)
    for name, value in told.items():
        print(f"  {name:<{width}}  {value:.4f}")


def main(argv: Sequence[str] | None = None) -> None:
    """Train, save, and log."""
    args = parse(argv)
    with tracked() as tracking:
        train(args, tracking)


if __name__ == "__main__":
    run(main)

"""The constructor: finds the model, and brings it and its tables together."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from raikit.insights.store import Insights, construct, read_subject
from stepkit.program import StepError, read_json

#: What `feature_metadata` may hold; all but the first two are of forecasts.
_METADATA = (
    *("dropped_features", "identity_feature_name", "categorical_features"),
    *("datetime_features", "time_series_id_features"),
)


def run(args: argparse.Namespace) -> str:
    """Write the folder that tools read; return what it is about, in a line.

    Raises:
        StepError: The model or a table cannot be had, or it is about forecasts.
    """
    if args.task_type == "forecasting":
        raise StepError(
            "dashboards of forecasts are not made here",
            hint="run the job in Azure, or set task_type to regression for a table of rows",
        )
    known = args.feature_metadata
    if odd := sorted(set(known) - set(_METADATA)):
        raise StepError(
            f"feature_metadata has {', '.join(odd)}", hint=f"known: {', '.join(_METADATA)}"
        )
    identity = known.get("identity_feature_name") or ()
    insights = Insights(
        title=args.title,
        task=args.task_type,
        target=args.target_column_name,
        categorical=[
            *(args.categorical_column_names or ()),
            *(known.get("categorical_features") or ()),
        ],
        classes=[str(each) for each in args.classes or ()],
        dropped=list(known.get("dropped_features") or ()),
        identity=[identity] if isinstance(identity, str) else list(identity),
    )
    with tempfile.TemporaryDirectory() as scratch:
        model = _model(args, Path(scratch))
        made = construct(
            args.output,
            insights,
            model,
            args.train_dataset,
            args.test_dataset,
            args.maximum_rows_for_test_dataset,
        )
    subject = read_subject(args.output)  # a model that does not load here is told of now
    return (
        f"{made.title}: {made.task} of {made.target} by {len(subject.model.features)} columns, "
        f"{len(subject.train)} training and {len(subject.test)} of {made.test_rows} test rows"
    )


def _model(args: argparse.Namespace, scratch: Path) -> Path:
    given = [each for each in (args.model_info_path, args.model_input, args.model_info) if each]
    if len(given) != 1:
        raise StepError(
            f"{len(given)} models are given",
            hint="give exactly one of model_info_path, model_input, model_info",
        )
    if args.model_input:
        return Path(args.model_input)
    name = args.model_info
    if args.model_info_path:
        document = read_json(Path(args.model_info_path) / "model_info.json")
        name = document.get("id", "") if isinstance(document, dict) else ""
    return _registered(str(name), scratch)


def _registered(reference: str, scratch: Path) -> Path:
    """Return a registered model's folder, fetched from MLflow's registry."""
    name, _, version = reference.rpartition(":")
    if not name or not version:
        raise StepError(f"{reference!r} is no model", hint="such as my-model:1")
    # Seconds to import, and not needed where the model is given.
    import mlflow.artifacts
    from mlflow.exceptions import MlflowException

    try:
        found = mlflow.artifacts.download_artifacts(
            artifact_uri=f"models:/{name}/{version}", dst_path=str(scratch)
        )
    except (MlflowException, OSError) as error:
        raise StepError(
            f"model {reference} cannot be had from the registry: {error}",
            hint="give the model itself as model_input",
        ) from error
    return Path(found)

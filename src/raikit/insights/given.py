"""What a constructor is given: the model, wherever it is, and what its columns mean.

Both engines read it, so nothing is imported here but the standard library.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stepkit.program import StepError, read_json

#: What `feature_metadata` may hold; the last two are of forecasts.
_METADATA = (
    *("dropped_features", "identity_feature_name", "categorical_features"),
    *("datetime_features", "time_series_id_features"),
)


def given_metadata(args: argparse.Namespace) -> dict[str, Any]:
    """Return `feature_metadata`, of a task that dashboards are made of.

    Raises:
        StepError: It is about forecasts, or has a field that is not known.
    """
    if args.task_type == "forecasting":
        raise StepError(
            "dashboards of forecasts are not made here",
            hint="run the job in Azure, or set task_type to regression for a table of rows",
        )
    known: dict[str, Any] = args.feature_metadata
    if odd := sorted(set(known) - set(_METADATA)):
        raise StepError(
            f"feature_metadata has {', '.join(odd)}", hint=f"known: {', '.join(_METADATA)}"
        )
    return known


def given_model(args: argparse.Namespace, scratch: Path) -> Path:
    """Return the folder of the model, fetched from MLflow's registry where it is named.

    Args:
        args: Of the constructor.
        scratch: A folder to fetch it to.

    Raises:
        StepError: None or several are given, or it cannot be fetched.
    """
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

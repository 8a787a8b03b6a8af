"""The registered models that a candidate is compared with, scored on the candidate's test rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow

from gatekit.evidence import Champion, Evidence
from gatekit.promotion import Alias, Comparison
from stepkit.figures import Figure
from stepkit.model import Model, load_model, score
from stepkit.program import StepError
from stepkit.registry import RegisteredModel
from stepkit.saved import read_description
from stepkit.table import digest, read_table

#: The tag of a version by which a model is known again.
DIGEST_TAG = "model_digest"


def champion_of(model: RegisteredModel, candidate: str) -> Champion:
    """Return who is champion now.

    Args:
        model: The registered model.
        candidate: Digest of the candidate.
    """
    version = model.version_with("champion")
    if version is None:
        return Champion(None)
    return Champion(version, model.tags_of(version).get(DIGEST_TAG) == candidate)


def champion_comparison(
    model: RegisteredModel,
    version: str,
    figure: Figure,
    evaluation: Mapping[str, Any],
    test_data: Path | None,
    min_gain: float,
) -> Comparison:
    """Compare with the champion: as `evaluate` did, where it had this version, else anew.

    Args:
        model: The registered model.
        version: The champion's version.
        figure: The candidate's figure to compare by.
        evaluation: Its `metrics.json`.
        test_data: The rows that it was evaluated on, if they are given.
        min_gain: By how much the champion must be beaten.

    Raises:
        StepError: The champion cannot be scored on these rows, so it cannot be replaced either.
    """
    if figure.against is not None and figure.against.version == version:
        return _comparison("champion", version, figure, figure.against.value, min_gain)
    value = incumbent_value(model.name, "champion", version, figure.name, evaluation, test_data)
    return _comparison("champion", version, figure, value, min_gain)


def challenger_comparison(
    model: RegisteredModel,
    figure: Figure,
    evaluation: Mapping[str, Any],
    test_data: Path | None,
) -> Comparison | None:
    """Score the challenger on the same rows, and compare; None where there is no challenger."""
    version = model.version_with("challenger")
    if version is None:
        return None
    value = incumbent_value(model.name, "challenger", version, figure.name, evaluation, test_data)
    return _comparison("challenger", version, figure, value, 0.0)


def compared_figure(evidence: Evidence, wanted: str) -> Figure:
    """Return the candidate's figure that it is compared by.

    Args:
        evidence: What was found out about it.
        wanted: The figure's name; `auto` is `auc`, or `rmse` for quantities.

    Raises:
        StepError: There is no such figure, or neither more nor less of it is better.
    """
    name = wanted
    if wanted == "auto":
        name = "rmse" if evidence.task == "regression" else "auc"
    figure = evidence.overall(name)
    if figure is None or figure.value is None or figure.better is None:
        known = sorted(
            each.figure.name
            for each in evidence.findings
            if each.figure.area == "predictive" and not each.figure.cohort and each.figure.better
        )
        why = f": {figure.note}" if figure is not None and figure.note else ""
        raise StepError(
            f"no figure {name!r} of this model to compare by{why}",
            hint=f"compare_by takes one of {', '.join(dict.fromkeys(known))}",
        )
    return figure


def _comparison(
    alias: Alias, version: str, figure: Figure, value: float, min_gain: float
) -> Comparison:
    assert figure.value is not None  # `compared_figure` has seen to it
    return Comparison(
        alias=alias,
        version=version,
        figure=figure.name,
        candidate=figure.value,
        incumbent=value,
        more_is_better=figure.better == "more",
        min_gain=min_gain,
    )


def incumbent_value(
    name: str,
    alias: Alias,
    version: str,
    metric: str,
    evaluation: Mapping[str, Any],
    test_data: Path | None,
) -> float:
    """Score a registered version on the candidate's test rows, and return one metric."""
    if test_data is None:
        raise StepError(
            f"the {alias}, {name} version {version}, was not evaluated beside this model",
            hint="give the gate test_data, or evaluate with the input champion",
        )
    if digest(test_data) != evaluation["test_data_digest"]:
        raise StepError("the model was evaluated on other test data", hint="evaluate it again")
    incumbent = _loaded(name, version, evaluation)
    try:
        scores = score(incumbent, read_table(test_data), evaluation.get("positive_label") or "auto")
    except StepError as error:
        raise StepError(
            f"the {alias}, {name} version {version}, cannot be scored on this test data: "
            f"{error.message}",
            hint="for another table give the model a name of its own: model_name",
        ) from error
    if metric not in scores.metrics:
        raise StepError(f"{metric} of the {alias} is not defined on this test data")
    return scores.metrics[metric]


def _loaded(name: str, version: str, evaluation: Mapping[str, Any]) -> Model:
    """Load a registered version; what it does not say of itself is as for the candidate.

    Raises:
        StepError: It is of another task or target.
    """
    task, target = evaluation["task"], evaluation["target"]
    with TemporaryDirectory() as scratch:
        address = f"models:/{name}/{version}"
        folder = Path(mlflow.artifacts.download_artifacts(address, dst_path=scratch))
        said = read_description(folder)["metadata"]
        found = (said.get("task", task), said.get("target", target))
        if found != (task, target):
            raise StepError(
                f"{name} version {version} is {found[0]} of {found[1]!r}, "
                f"this model is {task} of {target!r}",
                hint="register it under another name: model_name",
            )
        return load_model(folder, target=target, task=task)

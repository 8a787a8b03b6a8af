"""Register a model that passes its thresholds and beats the present champion."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from gate import Comparison, Decision, Threshold, decide, parse_thresholds
from mlflow.exceptions import MlflowException

from stepkit.metrics import check_metric
from stepkit.model import Model, load_model, score
from stepkit.program import StepError, boolean, read_json, run, text_table, write_json
from stepkit.registry import RegisteredModel, settle_name
from stepkit.saved import read_description
from stepkit.table import digest, read_table
from stepkit.tracking import Tracking, tracked

#: Tags of a run that name the code it ran, and what a model version's tag is called then.
COMMIT_TAGS = ("mlflow.source.git.commit", "azureml.git.commit")


def incumbent_comparison(
    model: RegisteredModel,
    alias: str,
    evaluation: Mapping[str, Any],
    args: argparse.Namespace,
    min_gain: float,
) -> Comparison | None:
    """Score the model that holds an alias on the same test data, and compare.

    Args:
        model: The registered model.
        alias: `champion` or `challenger`.
        evaluation: The candidate's `metrics.json`.
        args: See `parse`.
        min_gain: By how much it must be beaten.

    Returns:
        The comparison, or None where no version holds the alias.

    Raises:
        StepError: The other model cannot be scored on this data, so it cannot be replaced either.
    """
    version = model.version_with(alias)
    if version is None:
        return None
    metric = check_metric(args.compare_by, evaluation["task"])
    incumbent = load_incumbent(model.name, version, evaluation)
    positive = evaluation.get("positive_label") or "auto"
    try:
        scores = score(incumbent, read_table(args.test_data), positive)
    except StepError as error:
        raise StepError(
            f"the {alias}, {model.name} version {version}, cannot be scored on this test data: "
            f"{error.message}",
            hint="for another table give the model a name of its own: model_name",
        ) from error
    for name, metrics in (("this model", evaluation["metrics"]), (alias, scores.metrics)):
        if metric not in metrics:
            raise StepError(f"{metric} of {name} is not defined on this test data")
    return Comparison(
        alias=alias,
        version=version,
        metric=metric,
        candidate=evaluation["metrics"][metric],
        incumbent=scores.metrics[metric],
        min_gain=min_gain,
    )


def load_incumbent(name: str, version: str, evaluation: Mapping[str, Any]) -> Model:
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


def lineage_tags(
    description: Mapping[str, Any], evaluation: Mapping[str, Any], run_tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags that say where a model version comes from.

    Args:
        description: The model's MLmodel file.
        evaluation: Its `metrics.json`.
        run_tags: Tags of the run that trained it.
    """
    found = {key: str(value) for key, value in description["metadata"].items()}
    found["test_data_digest"] = evaluation["test_data_digest"]
    found["job"] = os.environ.get("AZUREML_ROOT_RUN_ID", "")
    found["git_commit"] = next((run_tags[tag] for tag in COMMIT_TAGS if tag in run_tags), "")
    found |= {f"metric.{name}": f"{value:.6g}" for name, value in evaluation["metrics"].items()}
    return {key: value for key, value in found.items() if value}


def training_run_tags(run_id: str) -> dict[str, str]:
    """Return the tags of the run that trained a model; none where it is not known here."""
    if not run_id:
        return {}
    try:
        return dict(mlflow.MlflowClient().get_run(run_id).data.tags)
    except MlflowException as error:
        # A model may come from another workspace; its lineage then says the run's id only.
        print(f"note: training run {run_id} is not known here: {error.error_code}")
        return {}


def put(
    model: RegisteredModel, folder: Path, alias: str, tags: Mapping[str, str], tracking: Tracking
) -> str:
    """Upload the model into this step's run, make a version of it, and give that the alias."""
    tracking.artifacts(folder, "model")
    version = model.add(mlflow.get_artifact_uri("model"), tracking.run_id, tags)
    model.give(alias, version)
    return version


def print_verdict(
    thresholds: Sequence[Threshold],
    evaluation: Mapping[str, Any],
    comparisons: Sequence[Comparison],
    summary: str,
) -> None:
    """Print every test that the model took, and what became of it."""
    rows = []
    for threshold in thresholds:
        value = evaluation["metrics"].get(threshold.metric)
        got = "-" if value is None else f"{value:.4f}"
        verdict = threshold.judge(evaluation["task"], evaluation["metrics"])
        rows.append(("threshold", str(threshold), got, verdict))
    for each in comparisons:
        wanted = f"{each.metric} better than {each.incumbent:.4f} (version {each.version})"
        verdict = "pass" if each.beaten else "fail"
        rows.append((each.alias, wanted, f"{each.candidate:.4f}", verdict))
    if rows:
        print(text_table(("gate", "wanted", "got", "verdict"), rows) + "\n")
    print(summary)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--evaluation", type=Path, required=True, help="report of evaluate")
    parser.add_argument("--test-data", type=Path, required=True)
    parser.add_argument("--model-name", default="auto", help="auto: TARGET-TASK")
    parser.add_argument("--thresholds", default="none", help="such as: auc>=0.9 error_rate<=0.14")
    parser.add_argument("--compare-by", default="auto", help="metric; auto: auc or rmse")
    parser.add_argument("--min-gain", type=float, default=0.0)
    parser.add_argument("--fail-when-rejected", type=boolean, default=False)
    parser.add_argument("--decision", type=Path, required=True)
    return parser.parse_args(argv)


def judge(
    model: RegisteredModel, evaluation: Mapping[str, Any], args: argparse.Namespace
) -> tuple[Decision, list[Comparison]]:
    """Return what becomes of the candidate, and whom it was compared with."""
    failed = []
    for threshold in parse_thresholds(args.thresholds):
        if threshold.judge(evaluation["task"], evaluation["metrics"]) == "fail":
            value = evaluation["metrics"].get(threshold.metric)
            got = "is not defined on this test data" if value is None else f"is {value:.4f}"
            failed.append(f"{threshold.metric} {got}, wanted {threshold}")
    champion = challenger = None
    if not failed:
        champion = incumbent_comparison(model, "champion", evaluation, args, args.min_gain)
        if champion is not None and not champion.beaten and champion.gain != 0:
            challenger = incumbent_comparison(model, "challenger", evaluation, args, 0.0)
    decision = decide(tuple(failed), champion, challenger)
    return decision, [each for each in (champion, challenger) if each is not None]


def register(args: argparse.Namespace, tracking: Tracking) -> Decision:
    """Judge a model, register it or not, and write the decision."""
    evaluation = read_json(args.evaluation / "metrics.json")
    if evaluation["test_data_digest"] != digest(args.test_data):
        raise StepError("the model was evaluated on other test data", hint="evaluate it again")
    description = read_description(args.model)
    check_metric(args.compare_by, evaluation["task"])
    name = settle_name(args.model_name, evaluation["target"], evaluation["task"])
    model = RegisteredModel(mlflow.MlflowClient(), name)
    decision, comparisons = judge(model, evaluation, args)
    version = None
    if decision.alias is not None:
        run_tags = training_run_tags(str(description["metadata"].get("training_run_id", "")))
        tags = lineage_tags(description, evaluation, run_tags)
        version = put(model, args.model, decision.alias, tags, tracking)
        summary = f"REGISTERED {name} version {version} as {decision.alias}"
    else:
        summary = f"NOT REGISTERED {name}"
    tracking.metrics({"registered": float(version is not None)})
    tracking.tags({"registered_model": f"{name}:{version}" if version else ""})
    write_json(
        args.decision / "decision.json",
        {
            "registered": version is not None,
            "name": name,
            "version": version,
            "alias": decision.alias,
            "reasons": list(decision.reasons),
            "comparisons": [asdict(each) for each in comparisons],
            "metrics": evaluation["metrics"],
        },
    )
    tracking.conclude(f"{summary}: {'; '.join(decision.reasons)}")
    summary += "".join(f"\n  {reason}" for reason in decision.reasons)
    print_verdict(parse_thresholds(args.thresholds), evaluation, comparisons, summary)
    return decision


def main(argv: Sequence[str] | None = None) -> None:
    """Judge, register, and log; fail on a rejection only where asked to."""
    args = parse(argv)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise StepError("no model registry: MLFLOW_TRACKING_URI is not set")
    with tracked() as tracking:
        decision = register(args, tracking)
        if decision.alias is None and args.fail_when_rejected:
            raise StepError(f"the model is rejected: {'; '.join(decision.reasons)}")


if __name__ == "__main__":
    run(main)

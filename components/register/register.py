"""Register a model that the gate let through, as champion or as challenger."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow

from stepkit.program import StepError, read_json, run, write_json
from stepkit.registry import RegisteredModel, training_run_tags
from stepkit.saved import read_description
from stepkit.table import digest
from stepkit.tracking import Tracking, tracked

#: Tags of a run that name the code it ran, and what a model version's tag is called then.
COMMIT_TAGS = ("mlflow.source.git.commit", "azureml.git.commit")
#: Tags of a job that an event has started, and what a model version's tags are called then.
EVENT_TAGS = ("event", "event_type", "event_source", "trigger")
_PARENT = "mlflow.parentRunId"
#: The tag by which the gate knows a model again.
DIGEST_TAG = "model_digest"
ALIASES = ("champion", "challenger")
_FORMAT = 1


def read_decision(folder: Path, model: Path, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Read what the gate decided of this very model.

    Raises:
        StepError: There is no decision, or it is of another model or of other test rows.
    """
    path = folder / "gate.json"
    decision = read_json(path)
    if not isinstance(decision, dict) or decision.get("format") != _FORMAT:
        raise StepError(f"{path} is no decision of the gate", hint="run the step gate again")
    if decision["model_digest"] != digest(model):
        raise StepError(
            "the gate decided on another model", hint="give gate and register the same model"
        )
    if decision["test_data_digest"] != evaluation["test_data_digest"]:
        raise StepError("the gate decided by other test data", hint="give both one evaluation")
    return decision


def lineage_tags(
    description: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    decision: Mapping[str, Any],
    run_tags: Mapping[str, str],
    job_tags: Mapping[str, str],
) -> dict[str, str]:
    """Return the tags that say where a model version comes from.

    Args:
        description: The model's MLmodel file.
        evaluation: Its `metrics.json`.
        decision: What the gate decided of it.
        run_tags: Tags of the run that trained it.
        job_tags: Tags of the job that registers it.
    """
    found = {key: str(value) for key, value in description["metadata"].items()}
    found[DIGEST_TAG] = decision["model_digest"]
    found["test_data_digest"] = evaluation["test_data_digest"]
    found["job"] = os.environ.get("AZUREML_ROOT_RUN_ID", "")
    found["git_commit"] = next((run_tags[tag] for tag in COMMIT_TAGS if tag in run_tags), "")
    found["policy"] = str(decision["policy"]["name"])
    found["decision"] = str(decision["decision"])
    found |= {name: job_tags[name] for name in EVENT_TAGS if name in job_tags}
    found |= {f"metric.{name}": f"{value:.6g}" for name, value in evaluation["metrics"].items()}
    return {key: value for key, value in found.items() if value}


def registered_before(model: RegisteredModel, decision: Mapping[str, Any]) -> str | None:
    """Return the version that holds the decision's alias, where it is this model already.

    Raises:
        StepError: Another model became champion, or challenger, since the gate compared with it.
    """
    known = {
        "champion": (decision["champion"] or {}).get("version"),
        "challenger": decision["challenger"],
    }
    wanted = ALIASES[: 1 + ALIASES.index(decision["decision"])]
    for alias in wanted:
        version = model.version_with(alias)
        if version == known[alias]:
            continue
        tags = {} if version is None else model.tags_of(version)
        if alias == decision["decision"] and tags.get(DIGEST_TAG) == decision["model_digest"]:
            return version
        raise StepError(
            f"the {alias} of {model.name} is version {version or 'none'} now, and the gate "
            f"compared with version {known[alias] or 'none'}",
            hint="judge again: aml job create ... --set settings.force_rerun=true",
        )
    return None


def put(
    model: RegisteredModel, folder: Path, alias: str, tags: Mapping[str, str], tracking: Tracking
) -> str:
    """Upload the model into this step's run, make a version of it, and give that the alias."""
    tracking.artifacts(folder, "model")
    version = model.add(mlflow.get_artifact_uri("model"), tracking.run_id, tags)
    model.give(alias, version)
    return version


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--decision", type=Path, required=True, help="of gate")
    parser.add_argument("--evaluation", type=Path, required=True, help="report of evaluate")
    parser.add_argument("--registration", type=Path, required=True)
    return parser.parse_args(argv)


def settle_version(
    args: argparse.Namespace,
    decision: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    tracking: Tracking,
) -> str | None:
    """Register the model as the gate decided, and return its version; None where it refused."""
    if decision["decision"] not in ALIASES:
        return None
    model = RegisteredModel(mlflow.MlflowClient(), decision["model_name"])
    before = registered_before(model, decision)
    if before is not None:
        return before
    description = read_description(args.model)
    client = mlflow.MlflowClient()
    run_tags = training_run_tags(client, str(description["metadata"].get("training_run_id", "")))
    # A step's run lies below its job's, which has the job's tags.
    parent = client.get_run(tracking.run_id).data.tags.get(_PARENT, "")
    job_tags = client.get_run(parent).data.tags if parent else {}
    tags = lineage_tags(description, evaluation, decision, run_tags, job_tags)
    return put(model, args.model, decision["decision"], tags, tracking)


def register(args: argparse.Namespace, tracking: Tracking) -> None:
    """Register a model or not, and write what was done."""
    evaluation = read_json(args.evaluation / "metrics.json")
    decision = read_decision(args.decision, args.model, evaluation)
    version = settle_version(args, decision, evaluation, tracking)
    name, reasons = decision["model_name"], list(decision["reasons"])
    alias = decision["decision"] if version is not None else None
    summary = (
        f"REGISTERED {name} version {version} as {alias}" if alias else f"NOT REGISTERED {name}"
    )
    tracking.metrics({"registered": float(version is not None)})
    tracking.tags({"registered_model": f"{name}:{version}" if version else ""})
    write_json(
        args.registration / "decision.json",
        {
            "registered": version is not None,
            "name": name,
            "version": version,
            "alias": alias,
            "reasons": reasons,
            "comparisons": decision["comparisons"],
            "metrics": evaluation["metrics"],
        },
    )
    tracking.conclude(f"{summary}: {'; '.join(reasons)}")
    print(summary + "".join(f"\n  {reason}" for reason in reasons))


def main(argv: Sequence[str] | None = None) -> None:
    """Register and log."""
    args = parse(argv)
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise StepError("no model registry: MLFLOW_TRACKING_URI is not set")
    with tracked() as tracking:
        register(args, tracking)


if __name__ == "__main__":
    run(main)

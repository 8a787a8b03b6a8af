"""Compare models on the same test rows, and recommend one."""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
from candidates import Candidate, check_comparable, read_candidate
from compare_plot import draw
from comparison_report import HEAD, document, report, rows_of
from verdict import Verdict, judge, reason

from stepkit.champion import champion_folder
from stepkit.metrics import check_metric
from stepkit.program import StepError, run, text_table, write_json, write_text
from stepkit.saved import read_description
from stepkit.table import read_table
from stepkit.tracking import Tracking, tracked

SLOTS = range(1, 7)
CHAMPION = "champion"


def given_models(args: argparse.Namespace) -> dict[str, Path]:
    """Return the folders of the models that are given, by name.

    One without a name is called after its estimator, else after its place.

    Raises:
        StepError: There are more names than models, or a name twice.
    """
    slots = {slot: getattr(args, f"model_{slot}") for slot in SLOTS}
    folders = [(slot, folder) for slot, folder in slots.items() if folder is not None]
    called = [name.strip() for name in args.names.split(",")] if args.names else []
    if len(called) > len(folders):
        raise StepError(f"{len(called)} names for {len(folders)} models: {args.names}")
    found: dict[str, Path] = {}
    for place, (slot, folder) in enumerate(folders):
        name = called[place] if place < len(called) else ""
        if not name:
            said = str(read_description(folder)["metadata"].get("estimator", ""))
            name = said if said and said not in found else f"model_{slot}"
        if name in found:
            raise StepError(f"two models are called {name!r}", hint="give each a name: names")
        found[name] = folder
    return found


def run_seconds(run_id: str) -> float | None:
    """Return how long a run took, or None where it is not known here or has not ended."""
    if not run_id or not os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    import mlflow  # loaded already by `tracked`
    from mlflow.exceptions import MlflowException

    try:
        info = mlflow.MlflowClient().get_run(run_id).info
    except MlflowException as error:
        # A model may come from another workspace.
        print(f"note: training run {run_id} is not known here: {error.error_code}")
        return None
    return (info.end_time - info.start_time) / 1000 if info.end_time else None


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    for slot in SLOTS:
        parser.add_argument(f"--model-{slot}", type=Path)
    parser.add_argument("--names", default="", help="of the models, comma-separated")
    parser.add_argument("--champion", default="none", help="registered model; auto: TARGET-TASK")
    parser.add_argument("--target", default="", help="where the models do not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--metric", default="auto", help="auto: auc or rmse")
    parser.add_argument("--resamples", type=int, default=10000)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--best", type=Path, required=True)
    return parser.parse_args(argv)


def read_all(args: argparse.Namespace, table: pd.DataFrame) -> list[Candidate]:
    """Load and measure the models that are given, all by the positive class of the first."""
    candidates: list[Candidate] = []
    positive = args.positive_label
    for name, folder in given_models(args).items():
        candidates.append(read_one(name, folder, args, table, positive))
        first = candidates[0].scores
        if first.positive is not None:
            positive = first.classes[first.positive]
    return candidates


def read_one(
    name: str, folder: Path, args: argparse.Namespace, table: pd.DataFrame, positive: str
) -> Candidate:
    """Load and measure one model."""
    return read_candidate(
        name,
        folder,
        table,
        target=args.target,
        task=args.task,
        positive_label=positive,
        run_seconds=run_seconds,
    )


def read_champion(
    folder: Path, args: argparse.Namespace, table: pd.DataFrame, others: Sequence[Candidate]
) -> Candidate | None:
    """Load and measure the champion; None, with a note, where it is not one of these rows."""
    first = others[0]
    positive = first.scores.positive
    try:
        champion = read_one(
            CHAMPION,
            folder,
            args,
            table,
            args.positive_label if positive is None else first.scores.classes[positive],
        )
        check_comparable([first, champion], check_metric(args.metric, first.model.task))
    except StepError as error:
        print(f"note: the champion is left out: {error.message}")
        return None
    return champion


def judge_and_write(
    candidates: Sequence[Candidate], args: argparse.Namespace, tracking: Tracking
) -> Verdict:
    """Compare the models, write the report and the recommended model, and log."""
    metric = check_metric(args.metric, candidates[0].model.task)
    check_comparable(candidates, metric)
    verdict = judge(candidates, metric, args.resamples, args.confidence, args.seed)
    chosen = candidates[verdict.recommended]
    draw(candidates, verdict, args.report / "comparison.png")
    write_text(args.report / "comparison.md", report(candidates, verdict, args.resamples))
    write_json(
        args.report / "comparison.json", document(candidates, verdict, args.resamples, args.data)
    )
    shutil.copytree(chosen.folder, args.best, dirs_exist_ok=True)
    logged = {}
    for place, each in enumerate(candidates):
        name = re.sub(r"[^\w.-]+", "_", each.name)
        logged[f"{name}.{metric}"] = verdict.values[place]
        logged[f"{name}.behind"] = verdict.behind[place].value
        logged[f"{name}.row_milliseconds"] = each.cost.row_milliseconds
    tracking.metrics(logged)
    tracking.tags({"best": candidates[verdict.best].name, "recommended": chosen.name})
    tracking.artifacts(args.report, "comparison")
    return verdict


def compare(args: argparse.Namespace, tracking: Tracking) -> None:
    """Compare the models that are given, and the champion where one is asked for."""
    table = read_table(args.data)
    candidates = read_all(args, table)
    if not candidates:
        raise StepError("no model to compare", hint="give model_1, model_2, ...")
    with ExitStack() as stack:
        if args.champion != "none":
            from stepkit.registry import settle_name  # imports mlflow, which may not be needed

            model = candidates[0].model
            name = settle_name(args.champion, model.target, model.task)
            folder = stack.enter_context(champion_folder(name))
            champion = folder and read_champion(folder, args, table, candidates)
            if champion:
                candidates.append(champion)
        verdict = judge_and_write(candidates, args, tracking)
    print("\n" + text_table(HEAD, rows_of(candidates, verdict)))
    print(f"\nRECOMMENDED {candidates[verdict.recommended].name}\n  {reason(candidates, verdict)}")


def main(argv: Sequence[str] | None = None) -> None:
    """Compare, write, and log."""
    args = parse(argv)
    with tracked() as tracking:
        compare(args, tracking)


if __name__ == "__main__":
    run(main)

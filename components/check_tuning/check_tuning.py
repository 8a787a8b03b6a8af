"""Check a sweep's winner against its neighbours and the defaults, by repeated cross-validation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from estimators import CHOICES, Columns, build
from judgement import DEFAULTS, WINNER, Compared, Judgement, Setting, judge
from neighbours import neighbours_of, parse_space
from train import HYPERPARAMETERS, fit, sample_weights
from tuning_plot import draw

from stepkit.metrics import Floats, check_metric, more_is_better
from stepkit.model import Model, load_model, score, typed_features
from stepkit.program import (
    StepError,
    markdown_table,
    run,
    text_table,
    write_json,
    write_text,
)
from stepkit.resampling import corrected_gain
from stepkit.table import digest, labelled_rows, read_table
from stepkit.tracking import Tracking, tracked

HEAD = ("setting", "value", "gain of the winner", "interval")


def hyperparameters_of(model: Model) -> dict[str, Any]:
    """Return the hyperparameters that a model was trained with.

    Raises:
        StepError: The model is none of the train component's.
    """
    said = model.metadata.get("hyperparameters")
    if said is None or model.metadata.get("estimator") not in CHOICES:
        raise StepError(
            "the model does not tell its estimator and hyperparameters",
            hint="check a model that the train component saved",
        )
    return dict(json.loads(said))


def settings_to_check(
    given: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Setting], dict[str, str]]:
    """Return the winner, the defaults, and all neighbours; and the parameters at an edge.

    What was searched is left out of the defaults; what was set for every trial is not.

    Raises:
        StepError: The winner does not tell a parameter of the search space.
    """
    lacking = [name for name in space if name not in given]
    if lacking:
        raise StepError(
            f"the model was not trained with {', '.join(lacking)} of the search space",
            hint=f"it tells: {', '.join(given) or 'none'}",
        )
    fixed = {name: value for name, value in given.items() if name not in space}
    settings = [Setting(WINNER, dict(given)), Setting(DEFAULTS, fixed)]
    edges = {}
    for name, distribution in space.items():
        kind, value = HYPERPARAMETERS[name], given[name]
        found = neighbours_of(distribution, value)
        if found.edge:
            edges[name] = found.edge
        for side, neighbour in (("down", found.down), ("up", found.up)):
            if neighbour is not None and kind(neighbour) != value:
                changed = {**given, name: kind(neighbour)}
                settings.append(Setting(f"{name} {side} to {kind(neighbour):.4g}", changed))
    return settings, edges


def folds_of(table: pd.DataFrame, model: Model, args: argparse.Namespace) -> Iterator[Any]:
    """Yield train and test rows of each fold of each repeat; classes keep their shares."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold  # a second

    kind = RepeatedStratifiedKFold if model.task == "classification" else RepeatedKFold
    folds = kind(n_splits=args.folds, n_repeats=args.repeats, random_state=args.seed)
    yield from folds.split(table, table[model.target])


def cross_validated(
    model: Model, table: pd.DataFrame, settings: Sequence[Setting], args: argparse.Namespace
) -> Floats:
    """Return the metric of each setting in each fold, shape (settings, folds * repeats)."""
    estimator, columns = model.metadata["estimator"], Columns(model.features)
    features = typed_features(table, model.features)
    weights = sample_weights(table, model.metadata.get("sample_weight", ""))
    found: list[float] = []
    for train_rows, test_rows in folds_of(table, model, args):
        for setting in settings:
            pipeline = build(estimator, model.task, columns, setting.hyperparameters, args.seed)
            fit(
                pipeline,
                features.iloc[train_rows],
                table[model.target].iloc[train_rows],
                None if weights is None else weights.iloc[train_rows],
            )
            fitted = Model(pipeline, model.task, model.target, model.features, {})
            metrics = score(fitted, table.iloc[test_rows]).metrics
            if args.metric not in metrics:
                raise StepError(
                    f"a fold has no {args.metric}", hint="give more rows, or fewer folds"
                )
            found.append(metrics[args.metric])
        print(f"fold {len(found) // len(settings)} of {args.folds * args.repeats}", flush=True)
    by_setting: Floats = np.array(found).reshape(-1, len(settings)).T
    return by_setting


def compare(
    settings: Sequence[Setting], scores: Floats, args: argparse.Namespace
) -> list[Compared]:
    """Compare the winner, which comes first, with every other setting.

    The neighbours are many, and the best of them would often look better by chance; so their
    intervals share the doubt (Bonferroni): each has a confidence of 1 - (1 - confidence) / m.
    """
    sign = 1 if more_is_better(args.metric) else -1
    shared = 1 - (1 - args.confidence) / max(1, len(settings) - 2)
    return [
        Compared(
            setting,
            float(own.mean()),
            corrected_gain(
                sign * (scores[0] - own),
                1 / (args.folds - 1),
                args.confidence if setting.name == DEFAULTS else shared,
            ),
        )
        for setting, own in zip(settings[1:], scores[1:], strict=True)
    ]


def rows_of(winner: float, compared: Sequence[Compared]) -> list[tuple[str, ...]]:
    """Return the table's rows as text."""
    return [
        (WINNER, f"{winner:.4f}", "", ""),
        *(
            (
                each.setting.name,
                f"{each.score:.4f}",
                f"{each.gain.mean:+.4f}",
                f"{each.gain.low:+.4f} to {each.gain.high:+.4f}",
            )
            for each in compared
        ),
    ]


def write_report(
    facts: Mapping[str, Any], judgement: Judgement, compared: Sequence[Compared], folder: Path
) -> None:
    """Write `tuning.json`, `tuning.md`, and `tuning.png`."""
    rows = rows_of(facts["score"], compared)
    settings = [
        {
            "name": each.setting.name,
            "hyperparameters": dict(each.setting.hyperparameters),
            "score": each.score,
            "gain": asdict(each.gain),
        }
        for each in compared
    ]
    write_json(folder / "tuning.json", {**asdict(judgement), **facts, "compared": settings})
    chosen = ", ".join(f"{name} {value:.4g}" for name, value in facts["hyperparameters"].items())
    parts = [
        f"# Tuning of {facts['estimator']}",
        f"**{judgement.verdict.replace('_', ' ')}**: {judgement.sentence}.",
        f"Winner: {chosen}. By {facts['metric']}, {facts['repeats']} times {facts['folds']} folds "
        f"of {facts['rows']:,} rows; {facts['confidence']:.0%} intervals of the corrected "
        "resampled t-test, shared out over the neighbours.",
        markdown_table(HEAD, rows),
        "![gains](tuning.png)",
    ]
    write_text(folder / "tuning.md", "\n\n".join(parts) + "\n")
    draw(compared, facts["metric"], folder / "tuning.png")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--search-space", required=True, help="YAML on one line")
    parser.add_argument("--metric", default="auto", help="auto: auc or rmse")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def check(args: argparse.Namespace, tracking: Tracking) -> None:
    """Cross-validate, judge, write the report, and log; see `parse` for the arguments."""
    space = parse_space(args.search_space)
    for name in [name for name in space if name not in HYPERPARAMETERS]:
        print(f"note: {name} is no hyperparameter of the train component, and has no neighbours")
        del space[name]
    model = load_model(args.model)
    args.metric = check_metric(args.metric, model.task)
    settings, edges = settings_to_check(hyperparameters_of(model), space)
    table = labelled_rows(read_table(args.data), model.target)
    if digest(args.data) != model.metadata.get("train_data_digest"):
        print("note: these are not the rows that the model was trained on")
    scores = cross_validated(model, table, settings, args)
    compared = compare(settings, scores, args)
    judgement = judge(compared, edges, args.metric)
    facts = {
        "estimator": model.metadata["estimator"],
        "hyperparameters": dict(settings[0].hyperparameters),
        "score": float(scores[0].mean()),
        "metric": args.metric,
        "rows": len(table),
        "folds": args.folds,
        "repeats": args.repeats,
        "confidence": args.confidence,
        "edges": edges,
    }
    write_report(facts, judgement, compared, args.report)
    gain = compared[0].gain
    tracking.metrics(
        {"gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high, "edges": len(edges)}
        | {f"winner_{args.metric}": facts["score"], f"defaults_{args.metric}": compared[0].score}
    )
    tracking.tags({"tuning": judgement.verdict})
    tracking.artifacts(args.report, "tuning")
    print("\n" + text_table(HEAD, rows_of(facts["score"], compared)))
    print(f"\n{judgement.verdict.replace('_', ' ').upper()}\n  {judgement.sentence}")


def main(argv: Sequence[str] | None = None) -> None:
    """Check a sweep's winner."""
    args = parse(argv)
    with tracked() as tracking:
        check(args, tracking)


if __name__ == "__main__":
    run(main)

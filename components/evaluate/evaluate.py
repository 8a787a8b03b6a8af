"""Evaluate a model on test data: metrics, curves, and plots."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from plots import draw_all

from stepkit.metrics import RATES, Floats, threshold_curve
from stepkit.model import Scores, load_model, score
from stepkit.program import markdown_table, run, text_table, write_json, write_text
from stepkit.table import digest, read_table
from stepkit.tracking import tracked

#: Rows of the threshold table: a curve of tens of thousands of points says no more.
THRESHOLD_STEPS = 200


def document(scores: Scores, target: str, data_digest: str) -> dict[str, Any]:
    """Return what `metrics.json` says; `register` reads it."""
    found: dict[str, Any] = {
        "task": scores.task,
        "target": target,
        "rows": len(scores.truth),
        "test_data_digest": data_digest,
        "metrics": scores.metrics,
    }
    if scores.task == "classification":
        positive = None if scores.positive is None else scores.classes[scores.positive]
        found["classes"] = list(scores.classes)
        found["positive_label"] = positive
        found["confusion_matrix"] = scores.matrix.tolist()
        found["per_class"] = scores.per_class()
    return found


def threshold_rows(curve: dict[str, Floats]) -> list[tuple[str, ...]]:
    """Return a threshold curve as text rows, thinned out to `THRESHOLD_STEPS`."""
    names = ("threshold", "tp", "fp", "fn", "tn", "tpr", "fpr", "precision")
    chosen = np.unique(np.linspace(0, len(curve["tp"]) - 1, THRESHOLD_STEPS).astype(int))
    rows = []
    for place in chosen:
        counts = [f"{curve[name][place]:.0f}" for name in names[1:5]]
        rates = [f"{curve[name][place]:.6f}" for name in names[5:]]
        rows.append((f"{curve['threshold'][place]:.6g}", *counts, *rates))
    return [names, *rows]


def metric_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the metrics as text rows."""
    return [(name, f"{value:.4f}") for name, value in scores.metrics.items()]


def class_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return each class's rates and number of rows as text rows."""
    return [
        (name, *(f"{rates[rate]:.4f}" for rate in RATES), f"{rates['support']:.0f}")
        for name, rates in scores.per_class().items()
    ]


def matrix_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the confusion matrix as text rows."""
    return [
        (f"true {name}", *(f"{count}" for count in counts))
        for name, counts in zip(scores.classes, scores.matrix, strict=True)
    ]


def report(scores: Scores, target: str, plots: Sequence[str]) -> str:
    """Return the report as Markdown."""
    parts = [
        f"# Evaluation of {target}",
        f"{scores.task.capitalize()}, {len(scores.truth):,} test rows.",
        markdown_table(("metric", "value"), metric_rows(scores)),
    ]
    if scores.task == "classification":
        if scores.positive is not None:
            parts.append(f"Positive class: `{scores.classes[scores.positive]}`.")
        predicted = tuple(f"predicted {name}" for name in scores.classes)
        parts += [
            markdown_table(("", *predicted), matrix_rows(scores)),
            markdown_table(("class", *RATES, "rows"), class_rows(scores)),
        ]
    parts += [f"![{name.removesuffix('.png').replace('_', ' ')}]({name})" for name in plots]
    return "\n\n".join(parts) + "\n"


def print_verdict(scores: Scores) -> None:
    """Print the confusion matrix and the metrics."""
    print(f"{scores.task} on {len(scores.truth)} test rows")
    if scores.task == "classification":
        predicted = tuple(f"predicted {name}" for name in scores.classes)
        print("\n" + text_table(("", *predicted), matrix_rows(scores)))
    print("\n" + text_table(("metric", "value"), metric_rows(scores)))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--target", default="", help="where the model does not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate, write the report, and log."""
    args = parse(argv)
    with tracked() as tracking:
        model = load_model(args.model, target=args.target, task=args.task)
        scores = score(model, read_table(args.data), args.positive_label)
        plots = draw_all(scores, args.report)
        write_json(args.report / "metrics.json", document(scores, model.target, digest(args.data)))
        if scores.positive is not None and scores.has_probabilities:
            curve = threshold_curve(
                scores.truth == scores.positive, scores.probabilities[:, scores.positive]
            )
            lines = [",".join(row) for row in threshold_rows(curve)]
            write_text(args.report / "thresholds.csv", "\n".join(lines) + "\n")
        write_text(args.report / "report.md", report(scores, model.target, plots))
        tracking.metrics({**scores.metrics, "test_rows": len(scores.truth)})
        tracking.artifacts(args.report, "evaluation")
        print_verdict(scores)


if __name__ == "__main__":
    run(main)

"""Ask of a model where it errs, whom it treats how, what its data is like, and what if."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from analyses import ANALYSES, Asked, fairness_settings

from raikit.fairness import save_mitigated, settle_price
from raikit.fairness.mitigation import CONSTRAINTS
from raikit.groups import parse_ranges, settle_sensitive
from raikit.markdown import markdown
from stepkit.figures import Figure, Figures, mlflow_metrics, write_figures
from stepkit.findings import Section, write_findings
from stepkit.model import Model, load_model
from stepkit.program import StepError, names, run, text_table, write_text
from stepkit.table import digest, labelled_rows, read_table
from stepkit.tracking import Tracking, tracked

STEP = "responsible_ai"
#: MLflow allows no other letters in a metric's name.


@dataclass(frozen=True)
class Found:
    """What came out of the analyses.

    Attributes:
        figures: Of all of them.
        sections: Alike.
    """

    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]


def chosen_analyses(given: str) -> tuple[str, ...]:
    """Return the names of the analyses to run, in the order of `ANALYSES`.

    Raises:
        StepError: There is no such analysis, or none is named.
    """
    wanted = names(given)
    for name in wanted:
        if name not in ANALYSES:
            raise StepError(f"no analysis named {name!r}", hint=f"known: {', '.join(ANALYSES)}")
    if not wanted:
        raise StepError("no analysis is named", hint=f"known: {', '.join(ANALYSES)}")
    return tuple(name for name in ANALYSES if name in wanted)


def analyse(asked: Asked, model: Model, train: pd.DataFrame, test: pd.DataFrame) -> Found:
    """Run the analyses that are asked for, one after another."""
    figures: list[Figure] = []
    sections: list[Section] = []
    for name in chosen_analyses(asked.args.analyses):
        more, parts = ANALYSES[name](model, train, test, asked)
        figures += more
        sections += parts
    return Found(tuple(figures), tuple(sections))


def mitigate(asked: Asked, model: Model, test: pd.DataFrame) -> str:
    """Write the mitigated model, or the model as it is; return what it is, in words."""
    args = asked.args
    if args.mitigation == "none":
        shutil.copytree(args.model, args.mitigated, dirs_exist_ok=True)
        return ""
    price, grouping, positive = settle_price(
        model, test, fairness_settings(asked), args.mitigation, args.mitigation_column
    )
    save_mitigated(model, args.model, test, grouping, price, positive, args.mitigated)
    return (
        f"mitigated: {price.constraint} by {price.column}, difference {price.before.value:.3f} to "
        f"{price.after.value:.3f}, accuracy {100 * price.change[0]:+.1f} points"
    )


def conclusion_of(found: Found) -> str:
    """Return what came out, in a line."""
    by_verdict: Mapping[str, list[str]] = {
        verdict: [each.title.lower() for each in found.sections if each.verdict == verdict]
        for verdict in ("warning", "good")
    }
    said = [
        f"{word} {', '.join(by_verdict[verdict])}"
        for verdict, word in (("warning", "look at"), ("good", "good:"))
        if by_verdict[verdict]
    ]
    return "; ".join(said) or "no verdict: see the report"


def rows_of(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return the figures as text rows."""
    return [
        (
            figure.name,
            figure.cohort,
            "" if figure.value is None else f"{figure.value:.4g}",
            ""
            if figure.low is None or figure.high is None
            else f"{figure.low:.4g} to {figure.high:.4g}",
            f"{figure.sample}",
        )
        for figure in figures
    ]


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--train-data", type=Path, required=True)
    parser.add_argument("--test-data", type=Path, required=True)
    parser.add_argument("--target", default="", help="where the model does not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--analyses", default=",".join(ANALYSES), help="comma-separated")
    parser.add_argument("--sensitive", default="auto", help="columns, comma-separated; auto; none")
    parser.add_argument("--ranges", default="auto", help="such as: age: 30 50; income: 20000")
    parser.add_argument("--min-rows", type=int, default=30, help="of each class, of a group")
    parser.add_argument("--mitigation", choices=("none", *CONSTRAINTS), default="none")
    parser.add_argument("--mitigation-column", default="auto")
    parser.add_argument("--max-depth", type=int, default=3, help="of the tree of errors")
    parser.add_argument("--num-leaves", type=int, default=31)
    parser.add_argument("--min-child-samples", type=int, default=20)
    parser.add_argument("--error", choices=("absolute", "squared"), default="absolute")
    parser.add_argument("--heatmap", default="auto", help="one or two columns")
    parser.add_argument("--bins", choices=("quantile", "equal_width"), default="quantile")
    parser.add_argument("--immutable", default="auto", help="auto: the sensitive ones; none")
    parser.add_argument("--counterfactuals", type=int, default=5, help="of each row")
    parser.add_argument("--counterfactual-rows", type=int, default=5)
    parser.add_argument("--treatments", default="auto", help="columns whose effect is asked for")
    parser.add_argument("--causal-rows", type=int, default=5000, help="that effects are of")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--mitigated", type=Path, required=True)
    return parser.parse_args(argv)


def examine(args: argparse.Namespace, tracking: Tracking) -> None:
    """Run the analyses, write the report and the mitigated model, and log."""
    chosen_analyses(args.analyses)
    model = load_model(args.model, target=args.target, task=args.task)
    train, test = (
        labelled_rows(read_table(path), model.target, str(path)).reset_index(drop=True)
        for path in (args.train_data, args.test_data)
    )
    sensitive, words = settle_sensitive(args.sensitive, test, model.target)
    asked = Asked(args, sensitive, words, parse_ranges(args.ranges))
    found = analyse(asked, model, train, test)
    mitigated = mitigate(asked, model, test)
    write_figures(
        args.report,
        Figures(STEP, digest(args.model), digest(args.test_data), found.figures),
    )
    write_findings(args.report, STEP, found.sections)
    title = f"Responsible AI: the model of {model.target}"
    write_text(args.report / "report.md", markdown(title, found.sections))
    # Those of pairs of columns are many, and in the report.
    tracking.metrics(mlflow_metrics(each for each in found.figures if " x " not in each.cohort))
    tracking.artifacts(args.report, STEP)
    concluded = conclusion_of(found)
    tracking.conclude(concluded)
    head = ("figure", "of", "value", "interval", "rows")
    print(text_table(head, rows_of(found.figures)))
    print("\n" + "\n".join(line for line in (words, mitigated, concluded) if line))


def main(argv: Sequence[str] | None = None) -> None:
    """Examine a model."""
    args = parse(argv)
    with tracked() as tracking:
        examine(args, tracking)


if __name__ == "__main__":
    run(main)

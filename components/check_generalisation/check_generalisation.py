"""Check whether a model is fitted as much as it should be, and whether test rows are new to it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from fit_curves import Curves, best_alternative, best_point, refit, slope_of
from fit_verdict import Alternative, Evidence, judge
from generalisation_figures import Found, figures_of
from generalisation_plots import draw_chart, draw_columns
from generalisation_report import (
    COLUMNS,
    HEAD,
    LEARNING,
    VALIDATION,
    learning_chart,
    markdown,
    sections_of,
    text_rows,
    validation_chart,
    verdict_words,
)
from leakage import groups_in_both, moments, shared_rows, time_order
from leaking_columns import column_powers
from main_parameter import main_parameter
from reference_models import Parts, alternative, gap, measure_parts, metrics_of, whole_power
from refitting import CannotRefitError, Clock, Refitter, make_folds

from stepkit.figures import Figures, mlflow_metrics, write_figures
from stepkit.findings import write_findings
from stepkit.model import Model, load_model, score, typed_features
from stepkit.program import StepError, names, run, text_table, write_json, write_text
from stepkit.table import digest, read_table, require_column
from stepkit.tracking import Tracking, tracked

#: Rows of each part that are scored and compared with the references; more would say no more.
MOST_SCORED = 50_000


def labelled(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the rows that have a target.

    Raises:
        StepError: There are fewer than two, or all have the same.
    """
    require_column(table, target, "target column")
    kept = table[table[target].notna()].reset_index(drop=True)
    if kept[target].nunique() < 2:
        raise StepError(
            f"target {target!r} has fewer than two different values", hint="give more rows"
        )
    return kept


def sample(table: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Return at most so many rows, drawn at random, in their order."""
    if len(table) <= most:
        return table
    chosen = np.sort(np.random.default_rng(seed).choice(len(table), most, replace=False))
    return table.iloc[chosen].reset_index(drop=True)


@dataclass(frozen=True)
class Refitted:
    """What came of fitting the model anew.

    Attributes:
        curves: None where it cannot be.
        folds: How the folds were made; why not, where it cannot be refitted.
        setting: The best other setting, compared with the model; None where none was tried.
        compared_on: The rows that it was compared on.
        notes: What was left out.
    """

    curves: Curves | None
    folds: str
    setting: Alternative | None = None
    compared_on: str = ""
    notes: Sequence[str] = ()


def refit_all(
    model: Model,
    train: pd.DataFrame,
    parts: Parts,
    metrics: Sequence[str],
    args: argparse.Namespace,
) -> Refitted:
    """Cross-validate, draw both curves, and compare the best other setting with the model.

    Args:
        model: The model.
        train: All its train rows.
        parts: The train and test rows that are scored.
        metrics: Those that are reported; the first decides.
        args: See `parse`.
    """
    table = sample(train, args.rows, args.seed)
    time_column = args.time_column if args.time_column not in ("auto", "none") else ""
    if time_column:
        table = table.assign(**{time_column: moments(table[time_column])})
    try:
        folds = make_folds(
            table,
            model,
            args.folds,
            args.seed,
            time_column=time_column,
            group_column=args.group_column,
        )
        clock = Clock(args.seconds)
        refitter = Refitter(model, table, folds, metrics, args.positive_label)
        parameter = main_parameter(model.estimator, args.parameter)
        curves = refit(refitter, folds.count, parameter, clock)
        setting, compared_on, notes = compare_setting(
            refitter, curves, parts, metrics[0], clock, args.positive_label
        )
    except CannotRefitError as error:
        return Refitted(None, str(error))
    return Refitted(curves, folds.words, setting, compared_on, (*curves.notes, *notes))


def compare_setting(
    refitter: Refitter, curves: Curves, parts: Parts, metric: str, clock: Clock, positive: str
) -> tuple[Alternative | None, str, list[str]]:
    """Return the best other setting, what it was compared on, and what was left out.

    Where the validation curve stands on fewer rows than the cross-validation, what does best there
    is fitted on all train rows and compared with the model itself on the test rows.
    """
    found = best_alternative(curves, metric, len(parts.train_rows))
    best = best_point(curves.validation, metric)
    if found is None or best is None:
        return None, "", []
    if found.is_confirmed:
        return found, "the rows held out", []
    whole = curves.cross_validation
    expected = whole.seconds / curves.folds * len(parts.train_rows) / whole.rows
    if expected > clock.remaining:
        said = f"{found.name} on all train rows, for time"
        return found, f"{best.rows:,} rows of the folds only", [said]
    fitted = refitter.fit_all(parts.train_rows, best.setting)
    scores = [score(fitted, each, positive) for each in (parts.train_rows, parts.test_rows)]
    compared = alternative(found.name, parts.train, parts.test, (scores[0], scores[1]), metric)
    return compared, "test rows", []


def evidence_of(parts: Parts, metric: str, refitted: Refitted, tolerance: float) -> Evidence:
    """Return what the verdict stands on."""
    train, test, curves = parts.train, parts.test, refitted.curves
    # What more rows do to a few of them says nothing of what they would do to all.
    reaches = curves is not None and 2 * curves.rows >= len(parts.train_rows)
    return Evidence(
        gap=gap(train, test, metric),
        over_guess=test.over_guess(test.model, metric),
        train_over_guess=train.over_guess(train.model, metric).mean,
        reference=alternative(
            "gradient boosting with its defaults",
            train,
            test,
            (train.reference, test.reference),
            metric,
        ),
        reference_over_guess=test.over_guess(test.reference, metric),
        setting=refitted.setting,
        slope=slope_of(curves, metric) if curves is not None and reaches else None,
        tolerance=tolerance,
    )


def find_out(model: Model, args: argparse.Namespace) -> Found:
    """Measure, refit, and look for leaks; see `parse` for the arguments."""
    train, test = (
        labelled(read_table(each), model.target) for each in (args.train_data, args.test_data)
    )
    # Before all that takes time, since these columns may not be there.
    time = time_order(train, test, args.time_column)
    groups = groups_in_both(train, test, args.group_column) if args.group_column else None
    notes = []
    if model.metadata.get("train_data_digest", "") not in ("", digest(args.train_data)):
        notes.append("these are not the rows that the model says it was trained on")
    rows = tuple(sample(each, MOST_SCORED, args.seed) for each in (train, test))
    metrics = metrics_of(score(model, rows[1], args.positive_label), args.metric)
    parts = measure_parts(model, rows[0], rows[1], metrics, args)
    refitted = refit_all(model, train, parts, metrics, args)
    evidence = evidence_of(parts, metrics[0], refitted, args.tolerance)
    return Found(
        model=model,
        metrics=metrics,
        train=parts.train,
        test=parts.test,
        gaps={name: gap(parts.train, parts.test, name) for name in metrics},
        evidence=evidence,
        judgement=judge(evidence),
        columns=column_powers(
            typed_features(rows[0], model.features),
            rows[0][model.target],
            model.task,
            model_power=whole_power(parts.test, model.task),
            limit=args.leak_limit,
            trusted=args.trusted_columns,
            seed=args.seed,
        ),
        shared=shared_rows(train, rows[1], list(model.features), model.target),
        time=time,
        groups=groups,
        curves=refitted.curves,
        folds=refitted.folds,
        compared_on=refitted.compared_on,
        notes=[*notes, *refitted.notes],
    )


def write_report(found: Found, args: argparse.Namespace) -> Figures:
    """Write the report's files, and return the figures."""
    folder = args.report
    figures = Figures(
        "check_generalisation",
        digest(args.model),
        digest(args.test_data),
        figures_of(found),
    )
    sections = sections_of(found, args.leak_limit)
    if found.curves is not None:
        draw_chart(learning_chart(found, found.curves), "Learning curve", folder / LEARNING)
        if found.curves.validation:
            chart = validation_chart(found, found.curves)
            draw_chart(chart, "Validation curve", folder / VALIDATION)
    draw_columns(
        found.columns, args.leak_limit, whole_power(found.test, found.model.task), folder / COLUMNS
    )
    write_json(folder / "generalisation.json", details(found))
    write_findings(folder, "check_generalisation", sections)
    write_text(folder / "report.md", markdown(found, figures.figures, sections))
    write_figures(folder, figures)
    return figures


def details(found: Found) -> dict[str, object]:
    """Return the verdict, what it stands on, and all points of the curves, as JSON has them."""
    points = []
    if found.curves is not None:
        curves = found.curves
        kinds = {"learning": curves.learning, "validation": curves.validation}
        points = [
            {
                "curve": kind,
                "rows": point.rows,
                "setting": dict(point.setting),
                "seconds": round(point.seconds, 3),
                "train": {name: values.tolist() for name, values in point.train.items()},
                "held_out": {name: values.tolist() for name, values in point.held_out.items()},
            }
            for kind, each in kinds.items()
            for point in each
        ]
    return {
        "verdict": found.judgement.verdict,
        "reason": found.judgement.reason,
        "advice": found.judgement.advice,
        "metric": found.metric,
        "evidence": asdict(found.evidence),
        "folds": found.folds,
        "notes": list(found.notes),
        "points": points,
        "columns": [{**asdict(each), "notes": each.notes} for each in found.columns],
    }


def log(found: Found, figures: Figures, args: argparse.Namespace, tracking: Tracking) -> None:
    """Log figures, verdict, and report, and print the comparison."""
    tracking.metrics(mlflow_metrics(figures.figures))
    verdict = found.judgement.verdict
    tracking.tags({"fit_verdict": verdict})
    tracking.artifacts(args.report, "check_generalisation")
    leaking, both = found.columns_that_are("leaking"), int(found.shared.whole.sum())
    leaks = [f"leaking: {', '.join(leaking)}"] if leaking else []
    leaks += [f"{both} test rows are in train"] if found.shared.is_leaking else []
    tracking.conclude("; ".join([f"{verdict}: {found.judgement.reason}", *leaks]))
    print("\n" + text_table(HEAD, text_rows(found)))
    print(f"\n{verdict.upper()}\n  {verdict_words(found)}")
    for line in leaks:
        print(f"  {line}")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--train-data", type=Path, required=True)
    parser.add_argument("--test-data", type=Path, required=True)
    parser.add_argument("--target", default="", help="where the model does not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--metric", default="auto", help="auto: auc or rmse")
    parser.add_argument(
        "--parameter", default="auto", help="of the validation curve; none: no curve"
    )
    parser.add_argument("--rows", type=int, default=8_000, help="most that are refitted on")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of the processor, for refitting"
    )
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--leak-limit", type=float, default=0.9)
    parser.add_argument("--trusted-columns", type=names, default=())
    parser.add_argument("--time-column", default="auto")
    parser.add_argument("--group-column", default="")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Check, write, and log."""
    args = parse(argv)
    with tracked() as tracking:
        model = load_model(args.model, target=args.target, task=args.task)
        found = find_out(model, args)
        log(found, write_report(found, args), args, tracking)


if __name__ == "__main__":
    run(main)

"""Evaluate a model on test data: metrics with intervals, calibration, costs, cohorts, and plots."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import evaluation_calibration as calibration
import evaluation_classes as classes
import evaluation_cohorts as cohort_words
import evaluation_forecasts as forecasts
import evaluation_quantities as quantities
import pandas as pd
from evaluation_figures import (
    COHORT_METRICS,
    Judged,
    PartFigures,
    Rival,
    as_forecast,
    judge,
    kind_of,
)
from evaluation_intervals import Settings
from evaluation_report import document, matrix_rows, report, threshold_rows
from evaluation_words import text_rows
from plots import draw_all, draw_costs

from stepkit.champion import champion_of
from stepkit.cohorts import cohorts_of, settle_columns
from stepkit.costs import Prices
from stepkit.figures import Figure, Figures, mlflow_metrics, write_figures
from stepkit.findings import Section, write_findings
from stepkit.metrics import threshold_curve
from stepkit.model import Model, Scores, load_model, score
from stepkit.program import StepError, run, text_table, write_json, write_text
from stepkit.table import digest, read_table
from stepkit.tracking import Tracking, tracked

#: Metrics of cohorts that MLflow gets, at most; all are in `figures.json`.
MOST_LOGGED = 60


@dataclass(frozen=True)
class Evaluation:
    """Everything that was found out about a model.

    Attributes:
        model: The model.
        scores: Its predictions of the test rows.
        judged: Its figures, those of cohorts and ranges among them.
        cohorts: Those of cohorts.
        ranges: Those of ranges of a quantity, and of steps ahead of a forecast.
        calibrated: How its probabilities and the truth agree; None without probabilities.
        settings: How it was judged.
    """

    model: Model
    scores: Scores
    judged: Judged
    cohorts: tuple[PartFigures, ...]
    ranges: tuple[PartFigures, ...]
    calibrated: calibration.Calibration | None
    settings: Settings

    def figures(self) -> list[Figure]:
        """Return all figures: of all rows, of costs and calibration, of classes and cohorts."""
        found = list(self.judged.headline)
        if self.calibrated is not None:
            found += calibration.figures_of(self.calibrated)
        if self.judged.costs is not None and self.judged.cost is not None:
            found += [self.judged.cost, *self.judged.costs.figures(len(self.scores.truth))]
        found += self.judged.by_class
        return found + [each for part in self.cohorts for each in part.figures.values()]

    def sections(self) -> list[Section]:
        """Return what a reader sees, in the order to be read in."""
        target = self.model.target
        if self.scores.task == "regression":
            found = quantities.sections(self.scores, target, self.judged, self.ranges)
        else:
            found = classes.sections(
                self.scores, target, self.judged, self.judged.by_class, self.settings.prices
            )
        series = self.settings.series
        if series is not None:
            steps = [each for each in self.ranges if each.part.column == forecasts.STEPS]
            found.append(forecasts.section(self.scores, series, steps, self.judged.headline))
        if self.calibrated is not None:
            found.append(calibration.section(self.calibrated, self.scores))
        first = COHORT_METRICS[kind_of(self.scores)][0]
        overall = next(each for each in self.judged.headline if each.name == first)
        of_cohorts = cohort_words.section(self.cohorts, overall, self.settings.confidence)
        return found if of_cohorts is None else [*found, of_cohorts]


def examine(
    model: Model,
    scores: Scores,
    table: pd.DataFrame,
    columns: str,
    rival: Rival | None,
    settings: Settings,
) -> Evaluation:
    """Judge a model's predictions of the test rows.

    Args:
        model: The model.
        scores: Its predictions.
        table: The test rows, those without a target among them.
        columns: What cohorts are cut by, as `cohorts.settle_columns` reads it.
        rival: The champion; None where there is none.
        settings: How it is judged.
    """
    rows = table[table[model.target].notna()]
    cohorts = cohorts_of(rows, settle_columns(columns, rows, model.target))
    ranges = quantities.ranges_of(scores) if scores.task == "regression" else []
    if settings.series is not None:
        ranges += forecasts.steps_of(settings.series)
    judged = judge(scores, model.target, rival, [*cohorts, *ranges], settings)
    return Evaluation(
        model=model,
        scores=scores,
        judged=judged,
        cohorts=judged.parts[: len(cohorts)],
        ranges=judged.parts[len(cohorts) :],
        calibrated=(
            calibration.measure(scores, settings.seed) if scores.has_probabilities else None
        ),
        settings=settings,
    )


def write(found: Evaluation, args: argparse.Namespace) -> None:
    """Write the report."""
    folder, scores, target = args.report, found.scores, found.model.target
    figures, sections = found.figures(), found.sections()
    data_digest = digest(args.data)
    plots = draw_all(scores, folder)
    if found.judged.costs is not None:
        plots.append(draw_costs(found.judged.costs, folder))
    write_json(folder / "metrics.json", document(scores, target, data_digest, figures))
    write_figures(folder, Figures("evaluate", digest(args.model), data_digest, tuple(figures)))
    write_findings(folder, "evaluate", sections)
    if scores.positive is not None and scores.has_probabilities:
        curve = threshold_curve(
            scores.truth == scores.positive, scores.probabilities[:, scores.positive]
        )
        _write_csv(folder / "thresholds.csv", threshold_rows(curve))
    if found.cohorts:
        _write_csv(folder / "cohorts.csv", cohort_words.csv_rows(found.cohorts))
    if found.ranges:
        _write_csv(folder / "ranges.csv", cohort_words.csv_rows(found.ranges))
    headline = [each for each in figures if not each.cohort]
    text = report(scores, target, headline, found.cohorts, sections, plots)
    write_text(folder / "report.md", text)


def _write_csv(file: Path, rows: Sequence[tuple[str, ...]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    write_text(file, buffer.getvalue())


def logged(found: Evaluation) -> dict[str, float]:
    """Return the metrics that MLflow gets: all rows' and, as far as they fit, cohorts'."""
    figures = [each for each in found.figures() if each.value is not None]
    whole = [each for each in figures if not each.cohort]
    parts = [each for each in figures if each.cohort][:MOST_LOGGED]
    return {**mlflow_metrics([*whole, *parts]), "test_rows": float(len(found.scores.truth))}


def print_verdict(found: Evaluation) -> None:
    """Print the confusion matrix and the metrics."""
    scores = found.scores
    print(f"{scores.task} on {len(scores.truth)} test rows")
    if scores.task == "classification":
        predicted = tuple(f"predicted {name}" for name in scores.classes)
        print("\n" + text_table(("", *predicted), matrix_rows(scores)))
    headline = [each for each in found.figures() if not each.cohort]
    level = f"{headline[0].level:.0%} interval"
    print("\n" + text_table(("metric", "value", level), text_rows(headline)))


def conclusion(found: Evaluation) -> str:
    """Return what came out in a line."""
    names = ("auc", "accuracy") if found.scores.task == "classification" else ("rmse", "r2")
    by_name = {each.name: each for each in found.judged.headline}
    shown = text_rows([by_name[name] for name in names if name in by_name])
    parts = [f"{name} {value}" + (f" ({ends})" if ends else "") for name, value, ends in shown]
    if found.calibrated is not None:
        parts.append(calibration.conclusion(found.calibrated))
    return "; ".join(parts)


def read_rival(
    args: argparse.Namespace, model: Model, scores: Scores, table: pd.DataFrame, stack: ExitStack
) -> Rival | None:
    """Score the champion on the same rows; None, with a note, where it is not one of these rows."""
    if args.champion == "none":
        return None
    from stepkit.registry import settle_name  # imports mlflow, which may not be needed

    name = settle_name(args.champion, model.target, model.task)
    champion = stack.enter_context(champion_of(name))
    if champion is None:
        return None
    positive = "auto" if scores.positive is None else scores.classes[scores.positive]
    try:
        theirs = load_model(champion.folder, target=model.target, task=model.task)
        return Rival(champion.version, score(theirs, table, positive))
    except StepError as error:
        print(f"note: the champion is left out: {error.message}")
        return None


def price(text: str) -> float:
    """Parse a cost, which must be above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no cost: give a number above 0")
    return value


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--target", default="", help="where the model does not say it")
    tasks = ("auto", "classification", "regression", "forecasting")
    parser.add_argument("--task", choices=tasks, default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--champion", default="none", help="registered model; auto: TARGET-TASK")
    parser.add_argument("--cohorts", default="auto", help="columns, comma-separated; auto; none")
    parser.add_argument("--cost-false-positive", type=price, default=1.0)
    parser.add_argument("--cost-false-negative", type=price, default=1.0)
    parser.add_argument("--history", type=Path, help="of a forecast: the rows of before")
    parser.add_argument("--time-column", default="", help="of a forecast that does not say it")
    parser.add_argument("--series-columns", default="auto", help="of a forecast; none for one")
    parser.add_argument("--seasonality", type=int, default=0, help="in periods; 0 finds it")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def evaluate(args: argparse.Namespace, tracking: Tracking) -> None:
    """Evaluate, write the report, and log."""
    task = "regression" if args.task == "forecasting" else args.task
    model = load_model(args.model, target=args.target, task=task)
    table = read_table(args.data)
    scores = score(model, table, args.positive_label)
    prices = Prices(args.cost_false_positive, args.cost_false_negative)
    settings = Settings(args.resamples, args.confidence, args.seed, prices)
    with ExitStack() as stack:
        rival = read_rival(args, model, scores, table, stack)
    if forecasts.is_forecast(model, args.task):
        series = forecasts.settle_series(args, model, table[table[model.target].notna()])
        settings, scores = replace(settings, series=series), as_forecast(scores, series)
        rival = rival and replace(rival, scores=as_forecast(rival.scores, series))
    found = examine(model, scores, table, args.cohorts, rival, settings)
    write(found, args)
    tracking.metrics(logged(found))
    tracking.artifacts(args.report, "evaluation")
    tracking.conclude(conclusion(found))
    print_verdict(found)


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate, write the report, and log."""
    args = parse(argv)
    with tracked() as tracking:
        evaluate(args, tracking)


if __name__ == "__main__":
    run(main)

"""Explain a model: what it looks at, what columns do, single rows, and how far to trust that."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from explain_figures import figures_of
from explain_findings import sections_of, summary
from explain_plots import draw_all

from raikit.explanation.documents import global_document, importance_rows, local_document
from raikit.explanation.explain import Explanation, Settings, explain
from raikit.explanation.subject import Subject
from stepkit.figures import Figure, Figures, mlflow_metrics, write_figures
from stepkit.findings import Section, Table, write_findings
from stepkit.model import load_model
from stepkit.program import StepError, markdown_table, run, text_table, write_json, write_text
from stepkit.table import digest, read_table
from stepkit.tracking import tracked

HEAD = ("column", "contribution", "share", "loss when shuffled", "interval")


def row_numbers(text: str) -> tuple[int, ...]:
    """Parse comma-separated numbers of rows; `none` and nothing are none.

    Raises:
        argparse.ArgumentTypeError: One is no whole number from 0.
    """
    parts = [part.strip() for part in text.split(",") if part.strip() not in ("", "none")]
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of row numbers, such as 0,17")
    return tuple(dict.fromkeys(int(part) for part in parts))


def importance_table(explanation: Explanation) -> list[tuple[str, ...]]:
    """Return each column's importance as text rows, the strongest first."""
    return [
        (
            each["column"],
            f"{each['shap']:.4g}",
            f"{each['share']:.1%}",
            f"{each['permutation']:+.4f}",
            f"{each['permutation_low']:+.4f} to {each['permutation_high']:+.4f}",
        )
        for each in importance_rows(explanation)
    ]


def importance_csv(explanation: Explanation) -> str:
    """Return everything known of each column's importance as CSV."""
    rows = importance_rows(explanation)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def report(explanation: Explanation, sections: Sequence[Section], plots: Sequence[str]) -> str:
    """Return the report as Markdown: the words of every section, the table, and the plots."""
    parts = [f"# Explanation of {explanation.subject.target}"]
    for place, section in enumerate(sections):
        parts += [f"## {section.title}", *section.words]
        if place == 0:
            parts.append(markdown_table(HEAD, importance_table(explanation)))
        else:
            parts += [block.markdown() for block in section.blocks if isinstance(block, Table)]
    parts.append("## Plots")
    parts += [f"![{name.removesuffix('.png').replace('_', ' ')}]({name})" for name in plots]
    return "\n\n".join(parts) + "\n"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--train-data", type=Path, required=True)
    parser.add_argument("--test-data", type=Path, required=True)
    parser.add_argument("--target", default="", help="where the model does not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--positive-label", default="auto")
    parser.add_argument("--rows", type=row_numbers, default=(), help="comma-separated, from 0")
    parser.add_argument("--worst", type=int, default=defaults.worst)
    parser.add_argument("--unit", choices=("auto", "probability", "log_odds"), default="auto")
    parser.add_argument("--explained-rows", type=int, default=defaults.explained)
    parser.add_argument("--background-rows", type=int, default=defaults.background)
    parser.add_argument("--shuffled-rows", type=int, default=defaults.shuffled)
    parser.add_argument("--repeats", type=int, default=defaults.repeats)
    parser.add_argument("--effects", type=int, default=defaults.columns)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def settings_of(args: argparse.Namespace) -> Settings:
    """Return how much is to be looked at.

    Raises:
        StepError: Less than can be told anything from.
    """
    if args.repeats < 2:
        raise StepError(f"{args.repeats} repeats have no spread", hint="repeats: 2 or more")
    return Settings(
        rows=args.rows,
        worst=args.worst,
        unit=args.unit,
        explained=args.explained_rows,
        background=args.background_rows,
        shuffled=args.shuffled_rows,
        repeats=args.repeats,
        columns=args.effects,
        seed=args.seed,
    )


def write_report(explanation: Explanation, figures: Figures, folder: Path) -> None:
    """Write every file of the report."""
    sections = sections_of(explanation)
    plots = draw_all(explanation, folder)
    write_text(folder / "report.md", report(explanation, sections, plots))
    write_text(folder / "importance.csv", importance_csv(explanation))
    write_json(folder / "global.json", global_document(explanation))
    write_json(folder / "local.json", local_document(explanation))
    write_findings(folder, "explain", sections)
    write_figures(folder, figures)


def main(argv: Sequence[str] | None = None) -> None:
    """Explain, write the report, and log."""
    args = parse(argv)
    settings = settings_of(args)
    with tracked() as tracking:
        model = load_model(args.model, target=args.target, task=args.task)
        train, test = read_table(args.train_data), read_table(args.test_data)
        subject = Subject.of(model, train, args.positive_label)
        explanation = explain(subject, train, test, settings)
        found = Figures(
            "explain", digest(args.model), digest(args.test_data), figures_of(explanation)
        )
        write_report(explanation, found, args.report)
        tracking.metrics(mlflow_metrics(found.figures))
        tracking.artifacts(args.report, "explain")
        tracking.conclude(summary(explanation))
        print(text_table(HEAD, importance_table(explanation)))
        print("\n" + text_table(("figure", "value"), list(figure_rows(found.figures))))
        print(f"\n{summary(explanation)}")


def figure_rows(figures: Sequence[Figure]) -> list[tuple[str, str]]:
    """Return the figures as text rows."""
    return [
        (
            f"{figure.name} ({figure.cohort})" if figure.cohort else figure.name,
            figure.note if figure.value is None else f"{figure.value:.4g}",
        )
        for figure in figures
    ]


if __name__ == "__main__":
    run(main)

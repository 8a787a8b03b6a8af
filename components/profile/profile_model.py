"""Profile a model: how long a prediction takes, what it uses, and how steadily."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml
from profile_figures import figures
from profile_findings import conclusion, sections
from profile_plots import draw_all
from profile_report import HEAD, details, report, rows_of
from profile_results import Options, Profile
from profile_run import Champion, measure

from stepkit.champion import champion_folder
from stepkit.figures import Figure, Figures, mlflow_metrics, write_figures
from stepkit.findings import write_findings
from stepkit.model import load_model
from stepkit.program import (
    StepError,
    boolean,
    cores,
    run,
    text_table,
    write_json,
    write_text,
)
from stepkit.saved import read_description
from stepkit.table import digest, read_table, write_table
from stepkit.tracking import tracked


def threads_of(text: str) -> tuple[int, ...]:
    """Parse numbers of threads; `auto` is 1 and all cores.

    Raises:
        StepError: One is no whole number of at least 1.
    """
    if text.strip() == "auto":
        return tuple(dict.fromkeys((1, cores())))
    found = [each.strip() for each in text.split(",")]
    if not all(each.isdecimal() and int(each) for each in found):
        raise StepError(
            f"threads are {text!r}", hint="give whole numbers of at least 1, such as 1,4, or auto"
        )
    return tuple(dict.fromkeys(int(each) for each in found))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--champion", default="none", help="registered model; auto: TARGET-TASK")
    parser.add_argument("--target", default="", help="where the model does not say it")
    parser.add_argument("--task", choices=("auto", "classification", "regression"), default="auto")
    parser.add_argument("--serve", type=boolean, default=True)
    parser.add_argument("--seconds", type=float, default=20.0, help="of all measurements")
    parser.add_argument("--threads", default="auto", help="such as 1,4")
    parser.add_argument("--batch-rows", type=int, default=100)
    parser.add_argument("--rows", type=int, default=10_000, help="of the data, at most")
    parser.add_argument("--wanted-rate", type=float, default=0.0, help="requests/s; 0: none")
    parser.add_argument("--wanted-p99-ms", type=float, default=0.0, help="0: any")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def options_of(args: argparse.Namespace) -> Options:
    """Return how to measure.

    Raises:
        StepError: A number is out of range.
    """
    for name, least in (("seconds", 1), ("batch_rows", 1), ("rows", 1)):
        if not getattr(args, name) >= least:
            raise StepError(f"{name} is {getattr(args, name):g}", hint=f"give at least {least}")
    return Options(
        seconds=args.seconds,
        threads=threads_of(args.threads),
        batch_rows=args.batch_rows,
        serve=args.serve,
        wanted_rate=args.wanted_rate,
        wanted_p99=args.wanted_p99_ms / 1000,
        seed=args.seed,
    )


def registered_name(args: argparse.Namespace) -> str:
    """Return the champion's registered name, where `auto` is made of the model's target and task.

    Raises:
        StepError: The model says neither, nor do the arguments.
    """
    from stepkit.registry import settle_name  # imports mlflow, which may not be needed

    if args.champion != "auto":
        return str(args.champion)
    model = load_model(args.model, target=args.target, task=args.task)
    return settle_name("auto", model.target, model.task)


@contextmanager
def champion_of(args: argparse.Namespace) -> Iterator[Champion | None]:
    """Download the champion; None where none is asked for, or there is none.

    Raises:
        StepError: There is no registry.
    """
    if args.champion == "none":
        yield None
        return
    with champion_folder(registered_name(args)) as folder:
        yield Champion(version_of(folder), folder) if folder else None


def version_of(folder: Path) -> str:
    """Return the version that a downloaded model has in its registry, as MLflow notes beside it."""
    try:
        noted = yaml.safe_load((folder / "registered_model_meta").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "champion"
    return str(noted.get("model_version", "champion"))


def sampled(data: Path, most: int, seed: int) -> pd.DataFrame:
    """Return rows of the data, at most so many, in an order that the seed draws."""
    table = read_table(data)
    return table.sample(min(most, len(table)), random_state=seed, ignore_index=True)


def profile(args: argparse.Namespace) -> tuple[Profile, list[Figure]]:
    """Measure the model and its champion; see `parse` for the arguments."""
    options = options_of(args)
    read_description(args.model)  # says what is wrong before anything is started
    with TemporaryDirectory() as scratch, champion_of(args) as champion:
        write_table(sampled(args.data, args.rows, args.seed), Path(scratch))
        found = measure(args.model, champion, Path(scratch), options)
    return found, figures(found)


def main(argv: Sequence[str] | None = None) -> None:
    """Profile, write the report, and log."""
    args = parse(argv)
    with tracked() as tracking:
        found, made = profile(args)
        pictures = draw_all(found, args.report)
        parts, line = sections(found), conclusion(found, made)
        write_findings(args.report, "profile", parts)
        write_json(args.report / "profile.json", details(found))
        write_text(args.report / "report.md", report(parts, made, line, pictures))
        write_figures(args.report, Figures("profile", digest(args.model), digest(args.data), made))
        tracking.metrics(mlflow_metrics(made))
        tracking.artifacts(args.report, "profile")
        tracking.conclude(line)
        print("\n" + text_table(HEAD, rows_of(made)))
        print(f"\n{line}")


if __name__ == "__main__":
    run(main)

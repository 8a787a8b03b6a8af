"""`aml model`: the model registry."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from amlocal.cli import views
from amlocal.cli.arguments import Parser, Verb, add_name
from amlocal.cli.asset import Field, Kind, add_version, verbs, version_of
from amlocal.cli.session import DownloadsModels, PromotesModels, ReportsModels, Session, View
from amlocal.errors import NotFoundError, UsageError
from amlocal.files import write_whole

KIND = Kind(
    "model",
    "model",
    lambda client: client.models,
    (
        Field(("--path", "-p"), "file, folder, or address such as runs:/RUN/model"),
        Field(("--type", "-t"), "custom_model, mlflow_model, or triton_model"),
        Field(("--description",), "what it is"),
    ),
)


def _download_flags(parser: Parser) -> None:
    add_version(parser, KIND)
    parser.add_argument(
        "--download-path", "-p", type=Path, default=Path(), metavar="PATH", help="where to; here"
    )


def _download(session: Session, args: argparse.Namespace) -> int:
    models = session.client.models
    if not isinstance(models, DownloadsModels):
        raise UsageError(
            f"models of the {session.target} target cannot be downloaded",
            hint=f"`aml model show -n {args.name}` tells where the model is",
        )
    version = version_of(session, args, KIND) or models.get(args.name).version
    folder = models.download(args.name, version, download_path=args.download_path)
    session.emit(views.fact_view("download_path", folder, f"downloaded to {folder}"))
    return 0


def _report_flags(parser: Parser) -> None:
    add_version(parser, KIND)
    parser.add_argument("--output-file", type=Path, metavar="FILE", help="where to write it")
    parser.add_argument("--pdf", action="store_true", help="the scorecard, not the HTML page")
    parser.add_argument("--open", action="store_true", help="open it in the browser")


def _report(session: Session, args: argparse.Namespace) -> int:
    models = session.client.models
    name = "scorecard.pdf" if args.pdf else "report.html"
    if isinstance(models, ReportsModels):
        place = _file_of(models.report(args.name, args.version, args.label), name, args.name)
        if args.output_file is not None:
            write_whole(args.output_file, place.read_bytes())
            place = args.output_file
    else:
        place = _downloaded(session, args, name)
    session.emit(views.fact_view("report", place.resolve(), str(place)))
    if args.open:
        session.open(place.resolve().as_uri(), f"the report of {args.name}")
    return 0


def _file_of(folder: Path, name: str, model: str) -> Path:
    """Return a file of a report's folder.

    Raises:
        NotFoundError: The report has no such file.
    """
    if not (folder / name).is_file():
        raise NotFoundError(
            f"the report of {model} has no {name}", hint="run the job that makes it again"
        )
    return folder / name


def _downloaded(session: Session, args: argparse.Namespace, name: str) -> Path:
    """Write a file of a report that is elsewhere: the output `report` of the version's job.

    Raises:
        NotFoundError: The version names no job, or the job has no such output.
    """
    model = session.client.models.get(args.name, args.version, args.label)
    job = model.tags.get("job")
    if not job:
        raise NotFoundError(
            f"model {model.name}:{model.version} does not say by its tag `job` which job "
            "registered it, so its report cannot be found",
            hint="aml job download -n JOB --output-name report, with the job that made it",
        )
    target = args.output_file or Path(f"{model.name}-{model.version}-{name}")
    with TemporaryDirectory() as scratch:
        session.client.jobs.download(job, download_path=Path(scratch), output_name="report")
        found = sorted(Path(scratch).rglob(name))
        if not found:
            raise NotFoundError(
                f"job {job}, which registered {model.name}:{model.version}, has no {name} in an "
                "output `report`",
                hint="give the pipeline an output `report`, bound to that of its step report",
            )
        write_whole(target, found[0].read_bytes())
    return target


def _promote_flags(parser: Parser) -> None:
    add_name(parser, "model")
    parser.add_argument(
        "--version", "-v", required=True, metavar="VERSION", help="the version that is to hold it"
    )
    parser.add_argument("--alias", default="champion", metavar="ALIAS", help="champion")
    parser.add_argument(
        "--force", action="store_true", help="also a version that the gate has refused"
    )


def _promote(session: Session, args: argparse.Namespace) -> int:
    models = session.client.models
    if not isinstance(models, PromotesModels):
        raise UsageError(f"models of the {session.target} target cannot be promoted")
    done = models.promote(args.name, args.version, alias=args.alias, force=args.force)
    told = f"{done.name}:{done.version} is {done.alias}"
    if done.previous == done.version:
        told += ", as it was"
    elif done.previous:
        told += f"; it was version {done.previous}"
    if done.forced:
        session.warn(f"the gate was overruled: {done.forced}")
    data = asdict(done)
    rows = [{key.capitalize(): str(value) for key, value in data.items()}]
    session.emit(View(data, rows, lambda _: f"{told}\n"))
    return 0


VERBS = {
    **verbs(KIND),
    "promote": Verb(
        "let a version be champion, or hold another alias: forward, or back from a bad release",
        _promote_flags,
        _promote,
        "aml model promote -n NAME --version 3",
    ),
    "report": Verb(
        "tell where the report of a model is, write it, or open it",
        _report_flags,
        _report,
        "aml model report -n NAME --open",
    ),
    "download": Verb(
        "copy a model into a folder named after it",
        _download_flags,
        _download,
        "aml model download -n NAME -v 1",
    ),
}

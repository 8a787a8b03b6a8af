"""`aml model`: the model registry."""

from __future__ import annotations

import argparse
from pathlib import Path

from amlocal.cli import views
from amlocal.cli.arguments import Parser, Verb
from amlocal.cli.asset import Field, Kind, add_version, verbs, version_of
from amlocal.cli.session import DownloadsModels, Session
from amlocal.errors import UsageError

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


VERBS = {
    **verbs(KIND),
    "download": Verb(
        "copy a model into a folder named after it",
        _download_flags,
        _download,
        "aml model download -n NAME -v 1",
    ),
}

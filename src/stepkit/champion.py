"""The registered model that a candidate must beat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stepkit.program import StepError


@dataclass(frozen=True)
class Champion:
    """A registered model's champion, downloaded.

    Attributes:
        version: Its version in the registry.
        folder: Where its MLmodel file is, as long as the context lasts.
    """

    version: str
    folder: Path


@contextmanager
def champion_of(name: str) -> Iterator[Champion | None]:
    """Download the champion of a registered model; None where there is no champion.

    Raises:
        StepError: There is no registry.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise StepError("no model registry: MLFLOW_TRACKING_URI is not set", hint="champion: none")
    import mlflow  # 2 s, and only needed with a champion

    from stepkit.registry import RegisteredModel  # imports mlflow

    version = RegisteredModel(mlflow.MlflowClient(), name).version_with("champion")
    if version is None:
        print(f"note: {name} has no champion yet")
        yield None
        return
    with TemporaryDirectory() as scratch:
        address = f"models:/{name}/{version}"
        print(f"champion: {name} version {version}")
        folder = Path(mlflow.artifacts.download_artifacts(address, dst_path=scratch))
        yield Champion(version, folder)


@contextmanager
def champion_folder(name: str) -> Iterator[Path | None]:
    """Download the champion of a registered model; None where there is no champion.

    Raises:
        StepError: There is no registry.
    """
    with champion_of(name) as champion:
        yield None if champion is None else champion.folder

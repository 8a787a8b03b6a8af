"""Containers that serve by themselves: Azure's `inference_config`, or an image of a Dockerfile.

Mounts and variables are those of Azure's images, as its own client gives them to local endpoints
(`azure/ai/ml/_local_endpoints/azureml_image_context.py`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.files import file_digest
from amlocal.plan import Environment, OnlineDeployment
from amlocal.plan.base import Value

#: Where Azure mounts models and code.
APP = "/var/azureml-app"
MODELS = f"{APP}/azureml-models"
#: The port of Azure's inference images.
_PORT = 5001


class Route(Value, frozen=True):
    """Where a container is asked.

    Attributes:
        port: Its port in the container.
        path: The path, with its slash.
    """

    port: int
    path: str


class Container(Value, frozen=True):
    """A container that serves.

    Attributes:
        image: The image's name.
        liveness: Answers when the server lives.
        readiness: Answers when it takes requests.
        scoring: Takes requests.
        context: The folder that the image is built of, or an empty string.
        dockerfile: Path of the Dockerfile in it.
        models: Where models are mounted.
    """

    image: str
    liveness: Route
    readiness: Route
    scoring: Route
    context: str = ""
    dockerfile: str = ""
    models: str = MODELS

    @property
    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (self.liveness, self.readiness, self.scoring)


def container_of(plan: OnlineDeployment, environment: Environment | None) -> Container | None:
    """Return the container of a deployment, or None where its environment serves by no such."""
    if environment is None:
        return None
    build = environment.build
    if environment.inference_config is None and build is None:
        return None
    routes = environment.inference_config or {}
    return Container(
        image=environment.image or "",
        liveness=_route(routes, "liveness_route", "/"),
        readiness=_route(routes, "readiness_route", "/"),
        scoring=_route(routes, "scoring_route", "/score"),
        context=build.path if build is not None else "",
        dockerfile=build.dockerfile_path if build is not None else "",
        models=plan.model_mount_path.rstrip("/") or MODELS,
    )


def _route(routes: Mapping[str, Any], name: str, path: str) -> Route:
    said = routes.get(name) or {}
    found = str(said.get("path", path))
    return Route(int(said.get("port", _PORT)), found if found.startswith("/") else f"/{found}")


def lay_out_context(context: Path, folder: Path) -> tuple[Path, str]:
    """Copy what an image is built of, and return its place and the image's name by its content."""
    place = folder / "context"
    shutil.copytree(context, place, symlinks=True)
    digest = hashlib.sha256()
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(place)}\0{file_digest(file)}\0".encode())
    return place, f"amlocal-serving:{digest.hexdigest()[:16]}"

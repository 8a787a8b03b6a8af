"""Azure ML's curated environments, as the packages that stand in for them.

`curated.json` holds, for each environment, the Python version and the main packages of its image,
as Azure/azureml-assets defines them (`assets/training/general/environments`,
`assets/responsibleai/environments`, `assets/inference/environments`). Left out are the v1 SDK
(azureml-core and what builds on it), which needs a workspace, tools for debugging and profiling,
CUDA, and Horovod. Upper bounds on small tools are loosened where wheels exist only for later
versions. Where an image's pins have no wheels for a later Python, a marker gives the nearest ones
that do. MLflow is held below 3, whose models Azure's images of that age cannot read. For
`responsibleai-tabular` stands what training steps import there (mltable, scikit-learn), for this
interpreter's Python and so at the versions of the Responsible AI components that run here, which
are to unpickle the model; those do not run in it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import msgspec

from amlocal.errors import EnvironmentBuildError, not_found
from amlocal.local.environments.choice import Requirements

TABLE = Path(__file__).with_name("curated.json")

_IMAGE = re.compile(r"^mcr\.microsoft\.com/azureml/curated/(?P<name>[^:@]+)")
_REGISTRY = re.compile(r"^azureml://registries/(?P<registry>[^/]+)/environments/(?P<name>[^/]+)")
_WORKSPACE = re.compile(r"^(azureml:)?(?P<name>[^:@/]+)([:@].*)?$")
# `sklearn-1.0-ubuntu20.04-py38-cpu`, `acpt-pytorch-2.8-cuda12.6`: what comes before the platform.
_PLATFORM = re.compile(
    r"^(?P<name>.+?)(?:-(?:ubuntu[\d.]+|py3\.?(?P<minor>\d+)|cuda[\d.]+|cpu|gpu))*$"
)


class Curated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One curated environment.

    Attributes:
        python: The Python version of its image, as `3.10`; empty for that of this interpreter.
        requirements: Lines of a requirements file.
    """

    python: str
    requirements: tuple[str, ...]


@lru_cache(maxsize=1)
def table() -> dict[str, Curated]:
    """Return the curated environments by name, without the `AzureML-` that workspaces prefix."""
    return msgspec.json.decode(TABLE.read_bytes(), type=dict[str, Curated])


def is_curated_image(image: str) -> bool:
    """Whether a container image is that of a curated environment."""
    return _IMAGE.match(image) is not None


def curated_name(reference: str) -> str:
    """Return the name in a reference or an image, without registry, version or label."""
    for pattern in (_IMAGE, _REGISTRY, _WORKSPACE):
        found = pattern.match(reference)
        if found:
            return found["name"]
    return reference


def read_curated(reference: str) -> Requirements:
    """Return what stands in for a curated environment.

    Args:
        reference: `azureml://registries/azureml/environments/NAME/...`, `azureml:NAME@latest`,
            `azureml:AzureML-NAME:VERSION`, or an image of `mcr.microsoft.com/azureml/curated`.

    Raises:
        NotFoundError: The table has no such environment; its hint gives the nearest.
        EnvironmentBuildError: It is in another registry, which only Azure can read.
    """
    registry = _REGISTRY.match(reference)
    if registry and registry["registry"] != "azureml":
        raise EnvironmentBuildError(
            f"environment {reference} is in a registry that only Azure ML can read",
            hint="write an environment with a conda_file and name that",
        )
    name = curated_name(reference)
    short = re.sub(r"^azureml-", "", name.lower())
    platform = _PLATFORM.match(short)
    stem = platform["name"] if platform else short
    entry = table().get(short) or table().get(stem)
    if entry is None:
        error = not_found("environment", name, table())
        error.hint += "; or register one with `aml environment create`"
        raise error
    python = f"3.{platform['minor']}" if platform and platform["minor"] else entry.python
    return Requirements(
        lines=entry.requirements,
        python=f"=={python}.*" if python else "",
        approximations=(
            f"Azure's curated environment {name} is not used as it is: its main packages stand in",
        ),
    )

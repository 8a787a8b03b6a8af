"""The packages that AutoML runs with: whether they are here, and the search's own code."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from amlocal.local.digests import Digests
from amlocal.local.packages import require
from amlocal.plan import Job

_TABLES = ("flaml", "interpret", "lightgbm", "pandas", "sklearn", "xgboost")
_FORECASTING = ("holidays", "lightgbm", "mlforecast", "pandas", "sklearn", "statsforecast")
#: What the search itself consists of.
_OWN = ("automlkit", "automlmodel", "stepkit")


def require_packages(job: Job) -> None:
    """Require that this interpreter has what the AutoML steps of a job import.

    Raises:
        EnvironmentBuildError: It has not.
    """
    for step in job.steps:
        if step.automl is not None:
            is_forecast = step.automl.task == "forecasting"
            modules = _FORECASTING if is_forecast else _TABLES
            require(modules, who="AutoML needs", extra="automl")


def search_code(digests: Digests) -> dict[str, str]:
    """Return the SHA-256 of each file of the search's own code, by package and path."""
    found = {}
    for package in _OWN:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        for file in sorted(folder.rglob("*.py")):
            found[f"{package}/{file.relative_to(folder).as_posix()}"] = digests.file(file)
    return found

"""How to serve what a job registered; pure."""

from __future__ import annotations

import re

from amlocal.plan import JobInfo

_MLFLOW = "mlflow_model"
#: Azure's bounds for the name of an endpoint: letters, digits, and dashes.
_LONGEST_NAME = 32
_OTHER = re.compile(r"[^A-Za-z0-9-]+")
#: Azure asks for one; this machine takes any.
_INSTANCE_TYPE = "Standard_DS3_v2"


def registered_model(info: JobInfo) -> str:
    """Return the MLflow model that a job registered, as `NAME:VERSION`; else an empty string.

    Of several, the one that came last. Scripts register MLflow models by MLflow's interface; an
    output is registered by its name.
    """
    found = ""
    for job in info.tree():
        for output in job.outputs.values():
            if output.type == _MLFLOW and output.asset and ":" in output.asset:
                found = output.asset
        if job.type == "pipeline":
            continue  # what is tracked of it is its steps', by their names
        for version in (job.tracking.model or {}).get("registered", ()):
            found = f"{version['name']}:{version['version']}"
    return found


def commands(info: JobInfo) -> list[str]:
    """Return the two commands that serve the model that a job registered; none where it did not."""
    model = registered_model(info)
    if not model:
        return []
    name = _endpoint_name(model.rpartition(":")[0])
    return [
        f"aml online-endpoint create -n {name}",
        f"aml online-deployment create -n blue -e {name} --all-traffic"
        f" --set model=azureml:{model} instance_type={_INSTANCE_TYPE}",
    ]


def _endpoint_name(model: str) -> str:
    name = _OTHER.sub("-", model)[:_LONGEST_NAME].strip("-")
    return name if name[:1].isalpha() else f"model-{name}"[:_LONGEST_NAME].strip("-")

"""Finds in a workspace the data that a monitor names by its context alone.

What a deployment collects is a data asset of its collector. What a model was made of is an input
of the job that trained it, or a data set that its run logged with MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlocal.azure.answers import LATEST
from amlocal.azure.info import job_info
from amlocal.azure.sdk import Input
from amlocal.errors import UsageError
from amlocal.plan.info import InputInfo
from amlocal.plan.monitor import COLLECTED, TRAINED_ON_INPUTS

_RUN_TAG = "training_run_id"
_GIVE = "give reference_data.input_data with a path"
_CONTEXT_TAG = "mlflow.data.context"
_CONTEXTS: Mapping[str, Sequence[str]] = {
    "training": ("training", "train"),
    "validation": ("validation", "valid"),
    "test": ("test", "testing"),
}
#: Data that Azure can read from anywhere.
_ADDRESSES = ("azureml:", "https://", "http://", "wasbs://", "abfss://")
_DATA = ("uri_file", "uri_folder", "mltable")


class WorkspaceData:
    """The data of a deployment's model and of its requests.

    Args:
        ml_client: The SDK's client.
        endpoint: The endpoint.
        deployment: Its deployment.
        runs: Returns MLflow's client of the workspace; None where there is no workspace to ask.
    """

    def __init__(
        self,
        ml_client: Any,
        endpoint: str,
        deployment: str,
        runs: Callable[[Any], Any] | None,
    ) -> None:
        self._ml_client = ml_client
        self._runs = runs
        self._name = f"{endpoint}/{deployment}"
        self._placeholder = f"{endpoint}-{deployment}"
        self._deployment = ml_client.online_deployments.get(deployment, endpoint)

    def of(self, context: str) -> Any:
        """Return the SDK's input for the data of a context.

        Raises:
            UsageError: It is not known what that is.
        """
        if context in COLLECTED:
            return self._collected(context)
        if self._runs is None:
            # Only a workspace could tell; whoever reads the request sees what goes there.
            return Input(type="uri_folder", path=f"{self._placeholder}-{context}:{LATEST}")
        return self._made_of(context)

    def _collected(self, context: str) -> Any:
        collector = self._deployment.data_collector
        collection = (collector.collections if collector else {}).get(context)
        if collection is None or str(collection.enabled).lower() != "true" or not collection.data:
            raise UsageError(
                f"the deployment {self._name} collects no {context}",
                hint="enable it in the deployment's data_collector, or give input_data with a path",
            )
        name, version = _named(str(collection.data))
        kind = self._ml_client.data.get(name, version).type
        return Input(type=kind, path=f"{name}:{version}")

    def _made_of(self, context: str) -> Any:
        said = self._deployment.model
        name, version = _named(str(said)) if said else ("", "")
        if not version:
            raise UsageError(
                f"the deployment {self._name} serves no registered model, so that it is not known"
                f" what data it was made of ({context})",
                hint=_GIVE,
            )
        model = self._ml_client.models.get(name, version)
        run = (model.tags or {}).get(_RUN_TAG) or model.job_name
        found = None if not run else self._job_input(run, context) or self._logged(run, context)
        if found is None:
            raise UsageError(
                f"the lineage of model {name}:{version} tells no {context} data",
                hint=f"{_GIVE}; it is looked for in the training job's inputs "
                f"({', '.join(TRAINED_ON_INPUTS[context])}), and in the data sets that its run "
                "logged",
            )
        return found

    def _job_input(self, run: str, context: str) -> Any:
        inputs = job_info(self._ml_client.jobs.get(run)).inputs
        data = {name: given for name, given in inputs.items() if _is_readable(given)}
        for name in TRAINED_ON_INPUTS[context]:
            if name in data:
                return Input(type=data[name].type, path=data[name].path)
        return None

    def _logged(self, run: str, context: str) -> Any:
        assert self._runs is not None, "there is a workspace"
        logged = self._runs(self._ml_client).get_run(run).inputs
        for each in logged.dataset_inputs if logged else ():
            tags = {tag.key: tag.value for tag in each.tags}
            address = _address(each.dataset.source)
            is_meant = tags.get(_CONTEXT_TAG, "").lower() in _CONTEXTS[context]
            if is_meant and address.startswith(_ADDRESSES):
                kind = "uri_folder" if address.endswith("/") else "uri_file"
                return Input(type=kind, path=address)
        return None


def _named(reference: str) -> tuple[str, str]:
    """Return name and version of an asset's ARM id or `azureml:NAME:VERSION`; empty of another."""
    parts = reference.removeprefix("azureml:").split("/")
    if "versions" in parts:
        at = parts.index("versions")
        return parts[at - 1], parts[at + 1]
    name, _, version = parts[-1].partition(":")
    return name, version


def _is_readable(given: InputInfo) -> bool:
    return given.type in _DATA and (given.path or "").startswith(_ADDRESSES)


def _address(source: str) -> str:
    """Return the address in an MLflow data set's source."""
    try:
        said = json.loads(source)
    except ValueError:
        return source
    found = said.get("uri") or said.get("url") or said.get("path") or ""
    return str(found)

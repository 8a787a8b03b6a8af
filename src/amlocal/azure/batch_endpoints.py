"""Batch endpoints of an Azure ML workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlocal.azure.endpoint_base import EndpointBase
from amlocal.azure.endpoint_info import batch_endpoint_info, batch_job_info
from amlocal.azure.jobs import Calls
from amlocal.azure.sdk import Input, Output, parse_overrides, use_headers
from amlocal.azure.source import CheckEndpoint
from amlocal.errors import UsageError, not_found
from amlocal.plan import LITERAL_TYPES, BatchEndpointInfo, JobInfo
from amlocal.plan.source import port_settings

_DATASTORE = re.compile(r"azureml://datastores/([^/]+)/paths/(.+)")
#: What begins the address of data, or the reference to a data asset.
_ADDRESS = re.compile(r"azureml:|[a-z][a-z0-9+.-]+://|/subscriptions/", re.IGNORECASE)
_PORT_SETTING = re.compile(r"(inputs|outputs)\.([^.=]+)\.(type|path)")


class AzureBatchEndpointOperations(EndpointBase[BatchEndpointInfo]):
    """Batch endpoints, by the names of `endpoint_operations.BatchEndpointOperations`."""

    def __init__(
        self,
        ml_client: Any,
        calls: Calls,
        *,
        check: CheckEndpoint | None = None,
        sends: bool = True,
    ) -> None:
        """Keep what the operations work with; see `AzureOnlineEndpointOperations`."""
        super().__init__(
            "batch endpoint",
            ml_client.batch_endpoints,
            batch_endpoint_info,
            calls=calls,
            check=check,
            sends=sends,
        )
        self._deployments = ml_client.batch_deployments

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        input_type: str | None = None,
        output_path: str | None = None,
        overrides: Sequence[str] = (),
        job_name: str | None = None,
        experiment_name: str | None = None,
        note: Callable[[str], None] | None = None,
    ) -> JobInfo:
        """Start a job that scores data; data on this machine is uploaded.

        Every input is sent by its name; of a model deployment, which has one, Azure does not mind
        the name. What is no path here and no address is a value.

        Raises:
            NotFoundError: There is no such endpoint or deployment.
            UsageError: An input or the place of the output is of a form that Azure does not take.
            TargetError: Azure did not do its part.
        """
        ports = [*port_settings("inputs", inputs), *port_settings("outputs", outputs)]
        settings, given, types = _split("inputs", [*ports, *overrides])
        settings, places, kinds = _split("outputs", settings)
        data = {name: _input(value, types.get(name, input_type)) for name, value in given.items()}
        if note is not None and any(_is_here(value) for value in given.values()):
            note("the input is uploaded")
        with self._calls(f"invoke batch endpoint {endpoint_name!r}"):
            if deployment_name is not None and self._sends:
                self._need_deployment(deployment_name, endpoint_name)
            use_headers(deployment_name)
            job = self._operations.invoke(
                endpoint_name,
                inputs=data,
                outputs={name: _output(path, kinds.get(name)) for name, path in places.items()},
                params_override=[*parse_overrides(settings), *_place(output_path)],
                job_name=job_name,
                experiment_name=experiment_name,
            )
        return batch_job_info(job, experiment_name or endpoint_name)

    def list_jobs(self, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that an endpoint has run, as Azure orders them: the newest first."""
        self._need_workspace(f"the jobs of batch endpoint {endpoint_name}")
        with self._calls(f"list the jobs of batch endpoint {endpoint_name!r}"):
            jobs = self._operations.list_jobs(endpoint_name)
            return [batch_job_info(job, endpoint_name) for job in jobs]

    def _told(self, endpoint: Any) -> BatchEndpointInfo:
        """Return what is told of an endpoint, with which deployments it has."""
        deployments = sorted(each.name for each in self._deployments.list(endpoint.name))
        return batch_endpoint_info(endpoint, deployments)

    def _need_deployment(self, name: str, endpoint_name: str) -> None:
        known = [each.name for each in self._deployments.list(endpoint_name)]
        if name not in known:
            raise not_found("batch deployment", name, known)


def _split(
    ports: str, overrides: Sequence[str]
) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Return the job's settings, its inputs or outputs, and their types: some are settings."""
    settings, paths, types = [], {}, {}
    for override in overrides:
        key, _, value = override.partition("=")
        found = _PORT_SETTING.fullmatch(key.strip())
        if found is None or found[1] != ports:
            settings.append(override)
        elif found[3] == "type":
            types[found[2]] = value
        else:
            paths[found[2]] = value
    return settings, paths, types


def _input(value: str, kind: str | None) -> Any:
    """Return the SDK's input; without a type, a path's or an address's is seen from it."""
    if kind is None:
        if _is_here(value):
            kind = "uri_file" if Path(value).is_file() else "uri_folder"
        else:
            kind = "uri_folder" if _ADDRESS.match(value) else "string"
    if kind in LITERAL_TYPES:
        return Input(type=kind, default=value)
    return Input(type=kind, path=value)


def _output(path: str, kind: str | None) -> Any:
    """Return the SDK's output; raises UsageError where it is not a path in a datastore."""
    if not path.startswith("azureml:"):
        raise _no_place(path)
    return Output(type=kind or "uri_folder", path=path)


def _is_here(value: str) -> bool:
    """Whether a value is a path of something on this machine."""
    return not _ADDRESS.match(value) and Path(value).exists()


def _place(output_path: str | None) -> list[dict[str, str]]:
    """Return where the output goes, as the SDK takes it.

    Raises:
        UsageError: It is not a path in a datastore.
    """
    if output_path is None:
        return []
    found = _DATASTORE.fullmatch(output_path)
    if found is None:
        raise _no_place(output_path)
    return [
        {"output_dataset.datastore_id": f"azureml:{found[1]}"},
        {"output_dataset.path": found[2]},
    ]


def _no_place(path: str) -> UsageError:
    hint = "write it as azureml://datastores/NAME/paths/PATH"
    return UsageError(f"{path!r} is not a place in Azure", hint=hint)

"""What a scoring script's `azureml.ai.monitoring` finds in its environment, as in Azure.

After the package's `config/config.py`: a file says which collections are enabled, and two variables
say where their rows are sent; here to the endpoint's router.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from amlocal.files import write_whole
from amlocal.local.endpoints.uris import HOST
from amlocal.local.endpoints.versions import DeploymentVersion

_CONFIGURATION = "data-collector.json"


def collects_by_script(version: DeploymentVersion) -> bool:
    """Tell whether the rows of a deployment are for its scoring script to collect.

    From a container nobody reaches the router; that takes the rows from requests and answers.
    """
    plan = version.plan
    has_script = plan.scoring_script is not None and version.container is None
    return plan.data_collector is not None and has_script


def collector_variables(
    version: DeploymentVersion, instance: str, port: int, key: str, given: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables by which an instance's script collects; writes the file they name.

    Args:
        version: What the instance serves.
        instance: The instance's id.
        port: The port of the endpoint.
        key: What the router knows the instances by.
        given: The variables that the instance has otherwise.
    """
    collector = version.plan.data_collector
    if collector is None or not collects_by_script(version):
        return {}
    file = Path(version.folder) / _CONFIGURATION
    collections = {
        # Drawn by the router: here each collection would be drawn for itself, and the rows that
        # fall into two of them would be few.
        name: {"enabled": collection.enabled, "sampleRatePercentage": 100}
        for name, collection in collector.collections.items()
    }
    content = {
        # The first two are for the versions before 0.1.0b4.
        "enabled": True,
        "sources": {"custom": {"enabled": True}},
        "runMode": "cloud",
        "collections": collections,
    }
    write_whole(file, msgspec.json.encode(content))
    return {
        "AZUREML_MDC_CONFIG_PATH": str(file),
        "AZUREML_MDC_HOST": f"{instance}:{key}@{HOST}",
        "AZUREML_MDC_PORT": str(port),
        **_without_proxy(given),
    }


def _without_proxy(given: Mapping[str, str]) -> dict[str, str]:
    """Return a variable that keeps what is sent to this machine from a proxy."""
    name = "no_proxy" if given.get("no_proxy") else "NO_PROXY"
    return {name: ",".join(filter(None, (given.get(name, ""), HOST)))}

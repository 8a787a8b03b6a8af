"""The data assets by which jobs take what a deployment collects."""

from __future__ import annotations

from collections.abc import Sequence

from amlocal.errors import UsageError
from amlocal.local.asset_records import AssetRecords
from amlocal.local.workspace import COLLECTED, DEFAULT_DATASTORE, Workspace
from amlocal.plan import AssetInfo, OnlineDeployment

_FIRST = "1"


def register_collections(
    plan: OnlineDeployment, assets: AssetRecords, workspace: Workspace
) -> Sequence[AssetInfo]:
    """Register each enabled collection as a data asset, and make its folder.

    Its name and version are what the file says, else Azure's: `ENDPOINT-DEPLOYMENT-COLLECTION` and
    1 ("Collect production data from models for real-time inferencing").

    Raises:
        UsageError: The version is there already, and is of other data.
    """
    if plan.data_collector is None:
        return []
    endpoint, deployment = plan.endpoint_name, plan.name
    found = []
    for collection, settings in plan.data_collector.collections.items():
        if not settings.enabled:
            continue
        name, _, version = settings.data.partition(":")
        inside = f"{COLLECTED}/{endpoint}/{deployment}/{collection}"
        asset = AssetInfo(
            kind="data",
            name=name or f"{endpoint}-{deployment}-{collection}",
            version=version or _FIRST,
            type="uri_folder",
            path=f"azureml://datastores/{DEFAULT_DATASTORE}/paths/{inside}",
            description=f"What deployment {deployment} of endpoint {endpoint} collects.",
        )
        try:
            found.append(assets.add(asset))
        except UsageError as error:
            raise UsageError(
                f"data_collector.collections.{collection}: data {asset.name}:{asset.version} "
                "is registered already, and is other data",
                hint="give the collection another data.name or data.version",
            ) from error
        (workspace.datastore(DEFAULT_DATASTORE) / inside).mkdir(parents=True, exist_ok=True)
    return found

"""Models of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amlocal.azure.assets import AzureAssetOperations
from amlocal.azure.jobs import Calls
from amlocal.azure.promotions import AzurePromotionRegistry, mlflow_client
from amlocal.errors import not_found
from amlocal.plan import AssetInfo
from amlocal.promotion import CHAMPION, Promotion, holder, promote


class AzureModelOperations(AzureAssetOperations):
    """Models of a workspace: what other assets have, aliases as labels, and `promote`.

    Args:
        ml_client: The SDK's client.
        calls: Surrounds each call of the SDK.
        sends: Whether there is a workspace to ask.
        registry: Returns MLflow's client of the workspace.
    """

    def __init__(
        self,
        ml_client: Any,
        calls: Calls,
        *,
        sends: bool = True,
        registry: Callable[[Any], Any] = mlflow_client,
    ) -> None:
        super().__init__("model", ml_client.models, calls, sends=sends)
        self._ml_client = ml_client
        self._registry = registry

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version; `label` latest, or neither, is the one created last.

        Azure has no other label: any other one is an alias of MLflow's registry, or its tag.

        Raises:
            NotFoundError: There is no such model or version, or none holds the alias.
        """
        if version is None and label not in {None, "latest"}:
            version, label = self._holder(name, str(label)), None
        return super().get(name, version, label)

    def _holder(self, name: str, alias: str) -> str:
        self._need_workspace(f"model {name}")
        with self._calls(f"get model {name!r}"):
            registry = AzurePromotionRegistry(self._registry(self._ml_client))
            known = registry.versions(name)
            if not known:
                raise not_found("model", name, registry.names())
            held = holder(known, alias)
        if not held:
            aliases = {each for version in known for each in version.aliases}
            raise not_found(f"label of model {name}", alias, ["latest", *sorted(aliases)])
        return held

    def promote(
        self, name: str, version: str, *, alias: str = CHAMPION, force: bool = False
    ) -> Promotion:
        """Let a version hold an alias, and no other version; see `amlocal.promotion.promote`.

        Raises:
            NotFoundError: There is no such model or version.
            RefusedError: The gate has refused the version, and `force` is false.
            TargetError: It is a dry run, or Azure did not do its part.
        """
        self._need_workspace(f"model {name}")
        with self._calls(f"promote model {name!r}"):
            registry = AzurePromotionRegistry(self._registry(self._ml_client))
            return promote(registry, name, version, alias=alias, force=force)

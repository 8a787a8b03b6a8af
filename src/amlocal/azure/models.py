"""Models of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amlocal.azure.assets import AzureAssetOperations
from amlocal.azure.jobs import Calls
from amlocal.azure.promotions import AzurePromotionRegistry, mlflow_client
from amlocal.promotion import CHAMPION, Promotion, promote


class AzureModelOperations(AzureAssetOperations):
    """Models of a workspace: what other assets have, and `promote`.

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

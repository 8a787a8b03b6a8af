"""What an endpoint or a deployment becomes, where a command says only what changes.

Azure replaces the whole of it, so that what was not said must be sent again as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from amlocal.azure.sdk import load, loads
from amlocal.plan.source import Source, kept

#: Fields of endpoints that stay where nothing is said of them. Azure keeps properties by itself.
_ONLINE = (
    *("description", "tags", "auth_mode", "traffic", "mirror_traffic", "identity"),
    "public_network_access",
)
_BATCH = ("description", "tags", "auth_mode", "defaults")
_KEPT = {"online endpoint": _ONLINE, "batch endpoint": _BATCH}
#: Fields of deployments that Azure tells and nobody sends.
_TOLD = ("id", "provisioning_state", "creation_context")


def load_endpoint(
    kind: str, source: Source, overrides: Sequence[str], fields: Mapping[str, str | None]
) -> Any:
    """Return the SDK's endpoint of a file, an object, or (source None) the settings alone.

    Args:
        kind: `online endpoint` or `batch endpoint`.
        source: A file, an object built with azure-ai-ml, or None.
        overrides: `a.b=c` settings.
        fields: Fields that win over the file's; None stands for not given.
    """
    if source is not None:
        return load(kind, source, overrides, fields)
    given = {key: value for key, value in fields.items() if value is not None}
    return loads(kind, given, overrides)


def keep_unsaid(
    kind: str, endpoint: Any, existing: Any, source: Source, overrides: Sequence[str]
) -> None:
    """Set the fields that neither a file nor a setting says to what they are.

    A setting of one tag (`tags.team=risk`) leaves the others; traffic is always said as a whole.
    """
    written = _said(endpoint, source)
    if "tags" not in written and any(each.startswith("tags.") for each in overrides):
        endpoint.tags = kept("tags", existing.tags or {}, endpoint.tags or {}, overrides)
    said = written | {override.partition("=")[0].split(".")[0] for override in overrides}
    for name in _KEPT[kind]:
        if name not in said and hasattr(existing, name):
            setattr(endpoint, name, getattr(existing, name))


def _said(endpoint: Any, source: Source) -> set[str]:
    """Return the names of the fields that a file or an object says."""
    if source is None:
        return set()
    if isinstance(source, (str, os.PathLike)):
        return set(yaml.safe_load(Path(source).read_bytes()))
    # An object has every field; what is empty was not given.
    return {name for name in (*_ONLINE, *_BATCH) if getattr(endpoint, name, None)}


def changed_deployment(kind: str, existing: Any, overrides: Sequence[str]) -> Any:
    """Return a deployment that exists, with some settings changed.

    Args:
        kind: One of the kinds of deployments that `sdk.LOADERS` has.
        existing: The SDK's object.
        overrides: `a.b=c` settings.
    """
    # Through JSON: the SDK's dictionaries are of kinds that YAML does not know.
    content = json.loads(json.dumps(existing._to_dict(), default=str))  # noqa: SLF001 - `dump` writes
    return loads(kind, {k: v for k, v in content.items() if k not in _TOLD}, overrides)

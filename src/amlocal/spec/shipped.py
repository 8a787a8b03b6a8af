"""Components of Azure's registry that are answered by components of this package."""

from __future__ import annotations

import re
from pathlib import Path

#: Where they are: one file each, named as in the registry `azureml`.
FOLDER = Path(__file__).with_name("builtin")

_REFERENCE = re.compile(
    r"azureml://registries/azureml/components/(?:microsoft_azureml_)?(?P<name>rai_tabular_[a-z_]+)"
    r"(?:/(?:versions|labels)/[^/]+)?"
)


def shipped_component(reference: str) -> Path | None:
    """Return the file that answers a reference to Azure's registry, or None where none does.

    A component has one signature in all its versions, so the version does not count.

    Args:
        reference: Such as `azureml://registries/azureml/components/rai_tabular_causal/versions/1`.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    file = FOLDER / f"{found['name']}.yml"
    return file if file.is_file() else None

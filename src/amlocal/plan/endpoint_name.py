"""What endpoints and deployments may be called."""

from __future__ import annotations

import re

# validate_endpoint_or_deployment_name of azure.ai.ml.
_NAME = re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_SHORTEST, _LONGEST = 3, 32

#: What to do about a name that cannot be.
NAME_HINT = (
    f"use {_SHORTEST} to {_LONGEST} letters, digits, and -, beginning with a letter, "
    "and not ending with -"
)


def may_be_name(name: str) -> bool:
    """Tell whether an endpoint or a deployment may have a name."""
    return _SHORTEST <= len(name) <= _LONGEST and _NAME.fullmatch(name) is not None

"""Checks a request's `params` against the model's signature."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import Any

import msgspec

from scoringserver.body import json_kind
from scoringserver.errors import RequestError

_log = logging.getLogger("scoringserver")


class Parameters:
    """What a signature says of parameters.

    As MLflow does, it fills in defaults, ignores what the signature does not name, and ignores all
    where the model takes none; what is ignored is said in the log once.

    Args:
        schema: MLflow's `ParamSchema`; None where the model takes no parameters.
    """

    def __init__(self, schema: Any) -> None:
        self._specs = {spec.name: spec for spec in schema.params} if schema else {}
        self._ignored: set[str] = set()

    def read(self, given: Any) -> tuple[dict[str, Any] | None, Hashable]:
        """Return the parameters for `predict`, and a key that is equal where they are.

        Raises:
            RequestError: One is not of its type.
        """
        if given is None and not self._specs:
            return None, b""
        if given is not None and not isinstance(given, dict):
            raise RequestError(f"params must be an object, not {json_kind(given)}")
        given = given or {}
        self._say_ignored([name for name in given if name not in self._specs])
        params = {
            name: _checked(spec, given[name]) if name in given else spec.default
            for name, spec in self._specs.items()
        }
        return params, msgspec.json.encode(params, enc_hook=str) if params else b""

    def _say_ignored(self, names: list[str]) -> None:
        new = [name for name in names[:20] if name not in self._ignored]
        if new and len(self._ignored) < 1000:
            self._ignored.update(new)
            _log.warning("params that the model does not name are ignored: %s", ", ".join(new))


def _checked(spec: Any, value: Any) -> Any:
    from mlflow.exceptions import MlflowException  # heavy; there once a model is loaded

    try:
        return spec.validate_param_spec(value, spec)
    except (MlflowException, ValueError, TypeError, OverflowError):
        kind = getattr(spec.dtype, "name", "object")
        wanted = f"an array of {kind}" if spec.shape else kind
        raise RequestError(
            f"params: {spec.name!r} must be {wanted}; it is {json_kind(value)}"
        ) from None

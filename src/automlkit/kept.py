"""The file of a finished trial: facts and arrays, there whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkit.program import write_bytes

#: How such a file's name ends, and the name of the facts among its arrays.
SUFFIX = ".npz"
_FACTS = "facts"


def write_trial(file: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a trial's file.

    Args:
        file: Where to.
        facts: Values of JSON.
        arrays: By name; none is called `facts`.
    """
    buffer = io.BytesIO()
    every: dict[str, Any] = {**arrays, _FACTS: np.asarray(json.dumps(facts))}
    np.savez(buffer, **every)
    write_bytes(file, buffer.getvalue())


def read_trial(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """Return a trial's facts and arrays; None where there is no such file.

    One that cannot be read, of a disk that lost its end, is deleted: its trial is run anew.
    """
    if not file.is_file():
        return None
    try:
        # Of a torn file that it opened itself, `np.load` forgets to close it.
        with np.load(io.BytesIO(file.read_bytes())) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts: dict[str, Any] = json.loads(str(arrays.pop(_FACTS)))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile):
        file.unlink()
        return None
    return facts, arrays

"""Models of raw columns as the tests of AutoML build them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from automlkit.columns import purposes
from automlkit.learners import LEARNERS
from automlkit.request import Featurization


def built(
    X: pd.DataFrame, name: str, task: str, config: dict[str, Any], classes: Any = None
) -> Any:
    """Return an unfitted model of a table's columns, each taken for what it looks like."""
    return LEARNERS[name].build(
        task,
        config,
        columns=purposes(X, Featurization()),
        featurization=Featurization(),
        threads=1,
        seed=0,
        classes=classes,
    )

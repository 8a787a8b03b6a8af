"""Series that are made up, and requests for their forecast."""

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from automlkit.request import Forecasting, Request


def seasonal(rows: int, *, start: str = "2010-01-01", level: float = 100.0, seed: int = 0):
    """Return monthly values with a trend, a season of 12, and a little noise."""
    rng = np.random.default_rng(seed)
    count = np.arange(rows)
    values = level + 0.5 * count + 20 * np.sin(2 * np.pi * count / 12) + rng.normal(0, 1, rows)
    return pd.DataFrame({"month": pd.date_range(start, periods=rows, freq="MS"), "sales": values})


@pytest.fixture
def table():
    return seasonal(72)


@pytest.fixture
def shops():
    """Two series with a price that matters and a colour that does not."""
    parts = []
    for number, shop in enumerate(("north", "south")):
        rows = seasonal(60, level=100 * (number + 1), seed=number)
        price = np.random.default_rng(number).choice([1.0, 2.0, 3.0], 60)
        rows["sales"] += 30 * (2 - price)
        parts.append(rows.assign(shop=shop, price=price, colour=["red", "blue"] * 30))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def ask(tmp_path: Path):
    """Return a function that writes a table and returns a request for its forecast."""

    def write(table: pd.DataFrame, name: str) -> str:
        file = tmp_path / f"{name}.parquet"
        table.to_parquet(file)
        return str(file)

    def make(table: pd.DataFrame, *, test=None, validation=None, forecasting=None, **fields):
        settings = {"time_column_name": "month", "forecast_horizon": 6, **(forecasting or {})}
        fields = {
            "task": "forecasting",
            "primary_metric": "normalized_root_mean_squared_error",
            "target_column_name": "sales",
            **fields,
        }
        if test is not None:
            fields["test_data"] = write(test, "test")
        if validation is not None:
            fields["validation_data"] = write(validation, "validation")
        return msgspec.convert(
            {
                **fields,
                "training_data": write(table, "train"),
                "forecasting": msgspec.to_builtins(msgspec.convert(settings, Forecasting)),
            },
            Request,
        )

    return make

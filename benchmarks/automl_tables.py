"""The tables that AutoML systems are compared on: from installed packages and from `data/`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

DATA = Path(__file__).parent.parent / "data"
#: Share of the rows that are tested on, where no split is published.
TEST_SHARE = 0.3

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Table:
    """A table to compare on.

    Attributes:
        name: For the command line and the report.
        task: What is learned.
        target: The column that is predicted.
        origin: Where it comes from, and its rows.
        read: Returns all rows, or training and test rows where a split is published.
    """

    name: str
    task: Task
    target: str
    origin: str
    read: Callable[[], pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]]

    @property
    def metric(self) -> str:
        """Azure's name of the metric that systems are asked for and judged by."""
        is_class = self.task == "classification"
        return "AUC_weighted" if is_class else "normalized_root_mean_squared_error"

    def split(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return training and test rows; a seed is another split, unless one is published."""
        found = self.read()
        if isinstance(found, tuple):
            return found
        order = np.random.default_rng(seed).permutation(len(found))
        cut = round(TEST_SHARE * len(found))
        return (
            found.iloc[order[cut:]].reset_index(drop=True),
            found.iloc[order[:cut]].reset_index(drop=True),
        )


def _adult() -> tuple[pd.DataFrame, pd.DataFrame]:
    # The survey's weight is no feature of a person.
    train, test = (
        pd.read_parquet(DATA / f"adult-{part}.parquet").drop(columns="fnlwgt")
        for part in ("train", "test")
    )
    return train, test


def _cps1988() -> pd.DataFrame:
    return pd.read_parquet(DATA / "cps1988.parquet")


def _sklearn(name: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        datasets = importlib.import_module("sklearn.datasets")
        frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
        return frame

    return read


def _statsmodels(name: str, change: Callable[[pd.DataFrame], Any]) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        module = importlib.import_module(f"statsmodels.datasets.{name}")
        table: pd.DataFrame = module.load_pandas().data.copy()
        found: pd.DataFrame = change(table)
        return found

    return read


def _fair(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(affairs=np.where(table["affairs"] > 0, "some", "none"))


def _anes96(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(vote=np.where(table["vote"] > 0, "Dole", "Clinton"))


def _star98(table: pd.DataFrame) -> pd.DataFrame:
    share = table["NABOVE"] / (table["NABOVE"] + table["NBELOW"])
    return table.drop(columns=["NABOVE", "NBELOW"]).assign(share_above=share)


_TABLES = (
    Table("adult", "classification", "income", "UCI Adult, 48,842 rows, published split", _adult),
    Table("cps1988", "regression", "wage", "US survey of March 1988, 28,155 rows", _cps1988),
    Table(
        *("fair", "classification", "affairs", "statsmodels, 6,366 rows"),
        _statsmodels("fair", _fair),
    ),
    Table(
        *("randhie", "regression", "mdvis", "statsmodels, 20,190 rows"),
        _statsmodels("randhie", lambda table: table),
    ),
    Table(
        *("anes96", "classification", "vote", "statsmodels, 944 rows"),
        _statsmodels("anes96", _anes96),
    ),
    Table(
        *("star98", "regression", "share_above", "statsmodels, 303 rows"),
        _statsmodels("star98", _star98),
    ),
    Table(
        *("breast_cancer", "classification", "target", "scikit-learn, 569 rows"),
        _sklearn("breast_cancer"),
    ),
    Table("diabetes", "regression", "target", "scikit-learn, 442 rows", _sklearn("diabetes")),
    Table("digits", "classification", "target", "scikit-learn, 1,797 rows", _sklearn("digits")),
)
TABLES = {table.name: table for table in _TABLES}

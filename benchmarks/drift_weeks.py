"""Simulated weeks of a model's rows, with and without a change; NumPy and pandas alone.

14 features: numbers of different shapes, whole numbers, categories of 2 to 25 kinds, some with rows
that have no value; and what a model said of each row, which is wrong in 13 of 100.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: What a week may have, and what it does.
CHANGES = {
    "nothing": "no change",
    "shift": "the mean of one number rises by 0.3 standard deviations",
    "category": "a category of 10 % becomes one of 20 %",
    "nulls": "rows without a value of one feature go from 1 % to 5 %",
    "flip": "the truth of 5 % of the rows turns to the other class",
}
NUMBERS = ("normal", "skewed", "uniform", "heavy", "mixture", "sparse", "count")
CATEGORIES = {"two": 2, "four": 4, "seven": 7, "ten": 10, "sixteen": 16, "many": 25}
_WRONG = 0.13


def rows(seed: int, count: int, change: str = "nothing") -> pd.DataFrame:
    """Return rows with `prediction` and `target`.

    Args:
        seed: Of the rows.
        count: How many.
        change: One of `CHANGES`.
    """
    rng = np.random.default_rng(seed)
    table: dict[str, np.ndarray] = {
        "normal": rng.normal(50, 10, count),
        "skewed": rng.lognormal(3, 1, count),
        "uniform": rng.uniform(0, 1, count),
        "heavy": rng.standard_t(4, count),
        "mixture": rng.normal(np.where(rng.random(count) < 0.3, -3, 1), 1),
        "sparse": rng.lognormal(8, 1, count) * (rng.random(count) < 0.08),
        "count": rng.poisson(40, count).astype(float),
        "age": rng.integers(17, 91, count).astype(float),
    }
    if change == "shift":
        table["normal"] += 3
    for name, kinds in CATEGORIES.items():
        shares = np.geomspace(1, 0.05, kinds)
        shares /= shares.sum()
        if name == "four":
            shares = np.array([0.5, 0.25, 0.15, 0.1])
            if change == "category":
                shares = np.array([*(shares[:3] * 0.8 / 0.9), 0.2])
        labels = np.array([f"{name}-{kind}" for kind in range(kinds)], dtype=object)
        table[name] = labels[rng.choice(kinds, count, p=shares)]
    for name, share in (("skewed", 0.01), ("age", 0.06), ("seven", 0.03)):
        missing = rng.random(count) < (0.05 if change == "nulls" and name == "skewed" else share)
        values = table[name].astype(object if name in CATEGORIES else float)
        values[missing] = None if name in CATEGORIES else np.nan
        table[name] = values
    chance = 1 / (1 + np.exp(-(table["mixture"] + (table["normal"] - 50) / 10 - 1.5)))
    said = rng.random(count) < chance
    true = said ^ (rng.random(count) < _WRONG)
    if change == "flip":
        true ^= rng.random(count) < 0.05
    table["prediction"] = np.where(said, "yes", "no").astype(object)
    table["target"] = np.where(true, "yes", "no").astype(object)
    return pd.DataFrame(table)

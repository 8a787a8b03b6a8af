from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from raikit.errors.heatmap import BINS, MOST_TEXTS, binned, heat_map


def test_cells_add_up_to_all_rows_and_errors() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"n": rng.normal(size=900), "t": rng.choice(["a", "b"], 900)})
    losses = (rng.random(900) < 0.3).astype(float)
    found = heat_map(table, losses, ("n", "t"), "quantile")
    assert found.counts.shape == (2, BINS)
    assert found.counts.sum() == 900
    assert found.coverage.sum() == pytest.approx(1)
    assert (found.errors * found.counts).sum() == pytest.approx(losses.sum())
    own = losses[(table["t"] == found.y[1][0]) & (table["n"] <= np.quantile(table["n"], 1 / 6))]
    assert found.errors[0, 0] == pytest.approx(own.mean())


def test_one_column_is_one_row_of_cells() -> None:
    table = pd.DataFrame({"n": np.arange(600.0)})
    found = heat_map(table, np.ones(600), ("n",), "quantile")
    assert found.counts.tolist() == [[100] * BINS]
    assert found.y == ("", ("all",))


def test_bins_are_of_as_many_rows_or_as_wide() -> None:
    values = pd.Series(np.arange(1000.0) ** 2)
    names, codes = binned(values, "quantile")
    assert np.ptp(np.bincount(codes)) <= 1
    names, codes = binned(values, "equal_width")
    edges = np.linspace(0, 999.0**2, BINS + 1)
    expected = pd.cut(values, edges, labels=False, include_lowest=True)
    assert codes.tolist() == expected.tolist()
    assert len(names) == BINS


def test_a_value_of_most_rows_is_a_bin_of_its_own() -> None:
    values = pd.Series([0.0] * 900 + list(range(1, 101)) + [-5.0] * 3)
    names, codes = binned(values, "quantile")
    assert names[1] == "0"
    assert (codes == 1).sum() == 900
    assert names[0] == "-5"
    assert len(names) >= BINS


def test_few_values_frequent_texts_and_gaps_are_bins() -> None:
    names, codes = binned(pd.Series([1.0, 2.0, 2.0, np.nan]), "quantile")
    assert (names, codes.tolist()) == (("1", "2", "missing"), [0, 1, 1, 2])
    texts = pd.Series([f"t{n}" for n in range(MOST_TEXTS + 3)] + ["t5"], dtype=object)
    names, codes = binned(texts, "quantile")
    assert names[0] == "t5"
    assert names[-1] == "others"
    assert (codes == MOST_TEXTS).sum() == 3

"""Importance of columns."""

import csv

import numpy as np
import pandas as pd
import pytest

from automlkit.search.explain import (
    SHUFFLES,
    permutation_importance,
    write_explanation,
    write_terms,
)
from automlkit.search.objective import root_mean_squared_error
from automlkit.search.selection import Truth


def case(rows=500):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"weak": random.normal(size=rows), "strong": random.normal(size=rows), "none": 1.0}
    )
    values = table["weak"] + 3 * table["strong"]
    return table, Truth(values.to_numpy(), np.ones(rows), root_mean_squared_error)


def importance(seconds=60.0):
    table, truth = case()

    def predict(rows):
        return (rows["weak"] + 3 * rows["strong"]).to_numpy()

    return permutation_importance(predict, table, truth, seed=0, seconds=seconds)


def test_columns_rank_by_what_shuffling_costs():
    rows = importance()
    assert [name for name, _, _ in rows] == ["strong", "weak", "none"]
    # The difference of two independent draws of spread 1 has spread sqrt(2).
    assert rows[0][1] == pytest.approx(3 * np.sqrt(2), rel=0.1)
    assert rows[2][1:] == (0.0, 0.0)


def test_time_is_bounded():
    assert importance(seconds=0.0) == []


def test_files_are_written(tmp_path):
    write_explanation(tmp_path / "explanation", importance(), "loss")
    with (tmp_path / "explanation" / "importance.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["column"] for row in rows] == ["strong", "weak", "none"]
    assert (tmp_path / "explanation" / "importance.png").read_bytes().startswith(b"\x89PNG")
    assert SHUFFLES > 1


def test_terms_are_written_in_their_order(tmp_path):
    class Machine:
        term_names_ = ("a", "b")

        def term_importances(self):
            return [0.1, 0.7]

    write_terms(tmp_path, Machine())
    assert (tmp_path / "terms.csv").read_text() == "term,importance\nb,0.7\na,0.1\n"

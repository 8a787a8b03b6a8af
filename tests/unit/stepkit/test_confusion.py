"""Rates of predicted classes: textbook cases, and what one class only leaves undefined."""

from __future__ import annotations

import numpy as np
import pytest

from stepkit.confusion import label_rates, shares_of, shares_of_class

# Cohen's kappa worked in J. L. Fleiss, "Statistical Methods for Rates and Proportions", and in many
# textbooks since: 50 cases, 20 and 15 agreed, 5 and 10 not; p_o = 0.7, p_e = 0.5.
READERS = np.array([[20, 5], [10, 15]])


def test_kappa_and_matthews_worked_by_hand():
    found = label_rates(READERS, 1)
    assert found["kappa"] == pytest.approx((0.7 - 0.5) / (1 - 0.5), abs=1e-12)
    expected = (20 * 15 - 5 * 10) / np.sqrt(25 * 25 * 30 * 20)
    assert found["mcc"] == pytest.approx(expected, abs=1e-12)
    assert found["balanced_accuracy"] == pytest.approx((20 / 25 + 15 / 25) / 2)
    assert found["norm_macro_recall"] == pytest.approx(0.4)


def test_worse_than_guessing_is_no_recall_beyond_chance():
    assert label_rates(READERS[:, ::-1], 1)["norm_macro_recall"] == 0


def test_many_tables_at_once_are_as_each_alone():
    tables = np.stack([READERS, READERS.T, [[3, 0], [0, 0]]], axis=-1)
    together = label_rates(tables, 1)
    for place in range(3):
        alone = label_rates(tables[..., place], 1)
        for name, values in together.items():
            assert values[place] == pytest.approx(float(alone[name]), nan_ok=True), name


def test_counts_of_a_large_table_do_not_overflow():
    large = np.array([[3_000_000_000, 1], [1, 3_000_000_000]])
    assert label_rates(large, 1)["mcc"] == pytest.approx(1, abs=1e-8)


def test_one_class_only_has_no_agreement_beyond_chance():
    found = label_rates(np.array([[7, 0], [0, 0]]), 1)
    assert np.isnan(found["kappa"])
    assert found["mcc"] == 0
    assert found["balanced_accuracy"] == 1


def test_shares_say_of_how_many_rows():
    assert shares_of_class(READERS, 1) == {
        "precision": (15, 20),
        "recall": (15, 25),
        "specificity": (20, 25),
        "npv": (20, 30),
    }
    assert shares_of(READERS, None) == {"accuracy": (35, 50), "error_rate": (15, 50)}
    rates = label_rates(READERS, 0)
    for name, (part, whole) in shares_of(READERS, 0).items():
        assert rates[name] == pytest.approx(part / whole)

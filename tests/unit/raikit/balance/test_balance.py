from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from raikit.balance import Settings, sections
from raikit.balance.measures import aggregate_balance, distribution_balance, feature_balance
from raikit.groups import Grouping
from stepkit.model import Model
from stepkit.program import StepError


def hired(rows: int, seed: int, bias: float) -> pd.DataFrame:
    """Return rows of which women were denied a label that they had earned, at a rate."""
    rng = np.random.default_rng(seed)
    skill, years = rng.normal(size=rows), rng.integers(0, 20, rows)
    sex = rng.choice(["f", "m"], rows, p=[0.4, 0.6])
    earned = rng.random(rows) < 1 / (1 + np.exp(-2 * skill - 0.1 * (years - 10)))
    denied = (sex == "f") & (rng.random(rows) < bias)
    return pd.DataFrame(
        {
            "skill": skill,
            "years": years,
            "sex": sex,
            "label": np.where(earned & ~denied, "yes", "no"),
            "pay": 100 + 10 * skill + rng.normal(size=rows) - 5 * bias * (sex == "f"),
        }
    )


def model(task: Any = "classification", target: str = "label") -> Model:
    features = {"skill": "double", "years": "double", "sex": "string"}
    return Model(None, task, target, features, {})


def found(tmp_path: Path, table: pd.DataFrame, *args: Any, **settings: Any):
    asked = Settings(tmp_path, sensitive=("sex",), **settings)
    figures, (section,) = sections(model(*args), table, table, asked)
    return {figure.name: figure for figure in figures}, section


def test_a_biased_label_is_found(tmp_path: Path) -> None:
    figures, section = found(tmp_path, hired(6000, 0, 0.3), seed=0)
    gap = figures["label_gap_at_equal_features"]
    # Half of the women had earned it, of whom three in ten were denied.
    assert gap.low < 0.15 < gap.high + 0.02
    assert gap.low > 0.1
    assert gap.note == "lowest f, highest m"
    assert gap.cohort == "sex"
    assert section.verdict == "warning"
    assert "it is yes more often for m than for f" in " ".join(section.words)
    assert figures["label_share_difference"].value > 0.1


@pytest.mark.slow
def test_a_sound_label_gives_no_alarm(tmp_path: Path) -> None:
    alarms = 0
    for seed in range(12):
        figures, section = found(tmp_path, hired(2500, seed, 0.0), seed=seed)
        alarms += figures["label_gap_at_equal_features"].low > 0
        assert section.verdict != "warning"
    assert alarms <= 2


def test_a_difference_that_features_explain_is_no_bias(tmp_path: Path) -> None:
    table = hired(8000, 1, 0.0)
    # Women of skill are rarer in these rows, so fewer of them have the label.
    table = table[(table["sex"] == "m") | (table["skill"] < 0.5)]
    figures, _ = found(tmp_path, table)
    assert figures["label_share_difference"].low > 0.1
    assert figures["label_gap_at_equal_features"].value < 0.03


def test_a_biased_quantity_is_found(tmp_path: Path) -> None:
    figures, section = found(tmp_path, hired(4000, 0, 0.4), "regression", "pay")
    gap = figures["label_gap_at_equal_features"]
    assert gap.value == pytest.approx(2, abs=0.3)
    assert section.verdict == "warning"
    assert "mean_label_difference" in figures


def test_small_groups_are_named_and_not_compared(tmp_path: Path) -> None:
    table = hired(1000, 0, 0.0)
    table.loc[:9, "sex"] = "x"
    figures, _ = found(tmp_path, table)
    assert figures["smallest_group_share"].value == pytest.approx(0.01)
    assert "x, 10 rows" in figures["smallest_group_share"].note
    assert "x" not in figures["label_share_difference"].note.replace("highest", "")


def test_without_groups_or_a_positive_class_there_are_words_alone(tmp_path: Path) -> None:
    table = hired(300, 0, 0.0)
    figures, (section,) = sections(
        model(), table, table, Settings(tmp_path, chosen="None were asked for.")
    )
    assert figures == ()
    assert section.words[1] == "None were asked for."
    table["label"] = np.resize(["a", "b", "c"], 300)
    figures, section = found(tmp_path, table)
    assert figures == {}
    assert "positive_label" in section.words[0]
    with pytest.raises(StepError, match="no class 'z'"):
        found(tmp_path, table, positive_label="z")
    assert found(tmp_path, table, positive_label="b")[0]["label_share_difference"].value < 0.2


def test_details_are_written(tmp_path: Path) -> None:
    _, section = found(tmp_path, hired(500, 0, 0.0))
    details = json.loads((tmp_path / "balance.json").read_text())
    assert details["groups"][0]["labels"] == ["m", "f"]
    assert sum(details["groups"][0]["rows"]) == 500
    assert section.blocks[0].options.keys() == {"sex"}


def test_shares_are_compared_with_even_ones() -> None:
    # A worked example: three groups of 10, 30, and 60 rows.
    measured = distribution_balance(np.array([10, 30, 60]))
    share, even = np.array([0.1, 0.3, 0.6]), np.full(3, 1 / 3)
    assert measured == pytest.approx(
        {
            "kl_divergence": (share * np.log(share * 3)).sum(),
            "js_distance": jensenshannon(share, even),
            # Sorted shares against 1/3 each: (0.7 + 0.1 + 0.8) / 9.
            "wasserstein_distance": (7 / 30 + 1 / 30 + 8 / 30) / 3,
            "infinity_norm_distance": 0.6 - 1 / 3,
            "total_variation_distance": 0.6 - 1 / 3,
            "chi_squared": (23.3333333333**2 + 3.3333333333**2 + 26.6666666667**2) / 33.3333333333,
            "chi_squared_p_value": np.exp(-38 / 2),  # of two degrees of freedom
        },
        abs=1e-9,
    )


def test_sizes_are_measured_as_incomes_are() -> None:
    measured = aggregate_balance(np.array([10, 30, 60]))
    relative = np.array([0.3, 0.9, 1.8])
    assert measured["atkinson_index"] == pytest.approx(1 - relative.prod() ** (1 / 3), abs=1e-9)
    assert measured["theil_t_index"] == pytest.approx(
        (relative * np.log(relative)).mean(), abs=1e-9
    )
    assert measured["theil_l_index"] == pytest.approx(-np.log(relative).mean(), abs=1e-9)
    assert all(abs(v) < 1e-12 for v in aggregate_balance(np.array([7, 7])).values())


def test_labels_and_groups_go_together() -> None:
    # 40 rows of a, 10 with the label; 60 of b, 30 with it.
    grouping = Grouping("g", ("a", "b"), np.repeat([0, 1], [40, 60]))
    positive = np.concatenate([np.arange(40) < 10, np.arange(60) < 30])
    measured = feature_balance(positive, grouping)
    assert measured["label_share"] == pytest.approx([0.25, 0.5], abs=1e-9)
    assert measured["pointwise_mutual_information"] == pytest.approx(
        [np.log(0.1 / (0.4 * 0.4)), np.log(0.3 / (0.6 * 0.4))], abs=1e-9
    )
    assert measured["sorensen_dice"] == pytest.approx([0.2 / 0.8, 0.6 / 1.0], abs=1e-9)
    assert measured["jaccard_index"] == pytest.approx([0.1 / 0.7, 0.3 / 0.7], abs=1e-9)


def test_a_group_without_the_label_has_no_mutual_information() -> None:
    grouping = Grouping("g", ("a", "b"), np.array([0, 0, 1, 1]))
    measured = feature_balance(np.array([False, False, True, False]), grouping)
    assert np.isnan(measured["pointwise_mutual_information"][0])
    assert measured["label_share"].tolist() == [0, 0.5]

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from raikit.fairness import Settings, sections
from stepkit.model import Model


class Says:
    """A classifier that says what a column says, of classes that are told."""

    def __init__(self, *classes: str) -> None:
        self.classes_ = np.array(classes)

    def predict_proba(self, table: pd.DataFrame) -> Any:
        return np.array([[0.9 if c == said else 0.1 for c in self.classes_] for said in table["s"]])


def people(rows: int, women: float, men: float, seed: int = 0) -> pd.DataFrame:
    """Return rows that a model chooses at a rate by sex, whoever deserves it."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    chosen = rng.random(rows) < np.where(sex == "f", women, men)
    return pd.DataFrame(
        {
            "s": np.where(chosen, "yes", "no"),
            "sex": sex,
            "age": rng.integers(18, 80, rows),
            "y": np.where(rng.random(rows) < 0.5, "yes", "no"),
        }
    )


def run(tmp_path: Path, table: pd.DataFrame, *sensitive: str, model: Model | None = None, **more):
    asked = model or Model(Says("no", "yes"), "classification", "y", {"s": "string"}, {})
    figures, found = sections(asked, table, table, Settings(tmp_path, sensitive, **more))
    return {(each.name, each.cohort): each for each in figures}, found


def test_groups_that_fare_alike_are_well(tmp_path: Path) -> None:
    _, (section, _) = run(tmp_path, people(20_000, 0.5, 0.5), "sex")
    assert section.verdict == "good"
    assert "within four fifths" in " ".join(section.words)


def test_groups_that_do_not_are_warned_of(tmp_path: Path) -> None:
    figures, (section, _) = run(tmp_path, people(4000, 0.3, 0.6), "sex")
    assert section.verdict == "warning"
    assert figures["demographic_parity_ratio", "sex"].value == pytest.approx(0.5, abs=0.06)
    assert "less than four fifths" in " ".join(section.words)
    assert "for 60." in " ".join(section.words) or "for 59." in " ".join(section.words)


def test_few_rows_give_no_verdict(tmp_path: Path) -> None:
    _, (section, _) = run(tmp_path, people(300, 0.5, 0.55), "sex")
    assert section.verdict == ""
    assert "too few rows to tell" in " ".join(section.words)


def test_pairs_of_columns_are_looked_at(tmp_path: Path) -> None:
    table = people(6000, 0.5, 0.5)
    old = (table["age"] >= 60) & (table["sex"] == "f")
    table.loc[old, "s"] = "no"
    figures, (section, _) = run(tmp_path, table, "sex", "age")
    crossed = figures["demographic_parity_difference", "sex x age"]
    assert crossed.low > 0.4
    assert "f, 60 and over" in crossed.note
    assert any("two groups" in words and "f, 60 and over" in words for words in section.words)
    assert (tmp_path / "fairness_sex.png").is_file()
    assert not (tmp_path / "fairness_sex_x_age.png").exists()


def test_small_groups_are_named(tmp_path: Path) -> None:
    table = people(2000, 0.5, 0.5)
    table.loc[:39, "sex"] = "x"
    _, (section, _) = run(tmp_path, table, "sex")
    assert any("x (40)" in words and "not known" in words for words in section.words)
    table = people(80, 0.5, 0.5)
    figures, _ = run(tmp_path, table, "sex")
    for name in ("demographic_parity_difference", "equalised_odds_difference"):
        figure = figures[name, "sex"]
        assert figure.value is None
        assert "fewer than two groups have 30 rows of each class" in figure.note


def test_of_more_classes_one_is_named(tmp_path: Path) -> None:
    table = people(2000, 0.3, 0.6)
    table.loc[::5, "y"] = "maybe"
    model = Model(Says("maybe", "no", "yes"), "classification", "y", {"s": "string"}, {})
    figures, (section,) = run(tmp_path, table, "sex", model=model)
    assert {each.value for each in figures.values()} == {None}
    assert "set positive_label to one of maybe, no, yes" in section.words[0]
    figures, (section,) = run(tmp_path, table, "sex", model=model, positive_label="yes")
    assert figures["demographic_parity_difference", "sex"].value == pytest.approx(0.3, abs=0.07)


def test_without_sensitive_columns_that_is_said(tmp_path: Path) -> None:
    figures, (section,) = run(tmp_path, people(100, 0.5, 0.5), chosen="None were asked for.")
    parity = figures["demographic_parity_difference", ""]
    assert (parity.value, parity.note) == (None, "None were asked for")
    assert section.words[1] == "None were asked for."


class Guess:
    """A regressor that predicts a column."""

    def predict(self, table: pd.DataFrame) -> Any:
        return table["guess"].to_numpy()


def test_a_biased_quantity_is_told_in_its_direction(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = people(3000, 0.5, 0.5)
    table["y"] = rng.normal(100, 5, 3000)
    table["guess"] = table["y"] + np.where(table["sex"] == "f", -4, 1) + rng.normal(size=3000)
    model = Model(Guess(), "regression", "y", {"guess": "double"}, {})
    figures, (section,) = run(tmp_path, table, "sex", model=model)
    assert figures["bias_difference", "sex"].value == pytest.approx(5, abs=0.1)
    words = " ".join(section.words)
    assert "too low for f" in words
    assert "too high for m" in words
    assert "beyond chance" in words
    assert section.verdict == ""

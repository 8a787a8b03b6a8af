from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from raikit.errors.settings import Settings
from raikit.errors.tree import MOST_TEXTS, Rule, grow, readable

SETTINGS = Settings(Path())


def grown(table: pd.DataFrame, losses, **settings):
    shown, _ = readable(table, list(table.columns))
    rows = np.arange(len(table))
    return shown, grow(shown, np.asarray(losses, dtype=float), rows, Settings(Path(), **settings))


def test_every_row_is_in_one_leaf_also_texts_and_gaps_that_were_not_seen() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "n": np.where(rng.random(1000) < 0.2, np.nan, rng.normal(size=1000)),
            "t": rng.choice(["a", "b", "c", None], 1000),
            "whole": rng.integers(0, 5, 1000),
        }
    )
    table.loc[999, "t"] = "seen once"
    losses = (table["n"].isna() | (table["t"] == "b")).astype(float)
    shown, _ = readable(table, ["n", "t", "whole"])
    tree = grow(shown, losses.to_numpy(), np.arange(900), SETTINGS)
    leaves = [node.rows(shown) for node in tree.nodes if node.is_leaf]
    assert (np.sum(leaves, axis=0) == 1).all()
    worst = max((losses[rows].mean(), number) for number, rows in enumerate(leaves))
    assert worst[0] == 1


def test_gaps_are_told_in_words() -> None:
    rng = np.random.default_rng(0)
    n = np.where(rng.random(2000) < 0.3, np.nan, rng.random(2000))
    _, tree = grown(pd.DataFrame({"n": n}), np.isnan(n), max_depth=1)
    assert any("or missing" in node.condition for node in tree.nodes)


def test_cuts_of_whole_numbers_are_whole() -> None:
    ages = np.random.default_rng(0).integers(18, 80, 2000)
    _, tree = grown(pd.DataFrame({"age": ages}), ages <= 30, max_depth=1)
    assert [node.condition for node in tree.nodes] == ["", "age <= 30", "age > 30"]


def test_zero_is_written_as_such() -> None:
    gains = np.where(np.arange(1000) % 2, 0.0, 1.5)
    _, tree = grown(pd.DataFrame({"gain": gains}), gains > 0, max_depth=1)
    assert {node.condition for node in tree.nodes} == {"", "gain <= 0", "gain > 0"}


def test_the_tree_is_as_small_as_asked() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.random(2000), "b": rng.random(2000)})
    losses = rng.random(2000)
    shown, tree = grown(table, losses, max_depth=6, num_leaves=5, min_child_samples=300)
    leaves = [node for node in tree.nodes if node.is_leaf]
    assert len(leaves) <= 5
    assert min(node.rows(shown).sum() for node in leaves) >= 300
    assert grown(table, losses, max_depth=2)[1].nodes[-1].rules.keys() <= {"a", "b"}
    assert sum(node.is_leaf for node in grown(table, losses, max_depth=2)[1].nodes) <= 4


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(low=30, high=45), "30 < age <= 45 or missing"),
        (Rule(high=45, missing=False), "age <= 45"),
        (Rule(low=30.25, missing=False), "age > 30.25"),
        (Rule(texts=frozenset("a"), known=frozenset("abc")), "age is a"),
        (Rule(texts=frozenset("ab"), known=frozenset("abc")), "age is not c"),
        (Rule(texts=frozenset("ab"), known=frozenset("abcde")), "age is a or b"),
        (Rule(texts=frozenset("abc"), known=frozenset("abcde")), "age is neither d nor e"),
        (Rule(texts=frozenset("abc"), known=frozenset("abcdefg")), "age is one of: a, b, c"),
        (Rule(texts=frozenset("abcd"), known=frozenset("abcdefg")), "age is none of: e, f, g"),
        (
            Rule(texts=frozenset("abcdef"), known=frozenset("abcdefghijklmn")),
            "age is one of: a, b, c, d and 2 more",
        ),
    ],
)
def test_rules_read_well(rule: Rule, words: str) -> None:
    assert rule.words("age", has_missing=True) == words


def test_what_is_no_number_and_no_kind_is_left_out() -> None:
    table = pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=MOST_TEXTS + 1),
            "id": [f"r{n}" for n in range(MOST_TEXTS + 1)],
            "flag": [True] * (MOST_TEXTS + 1),
            "n": range(MOST_TEXTS + 1),
        }
    )
    shown, left = readable(table, ["when", "id", "flag", "n"])
    assert left == ["when", "id"]
    assert set(shown["flag"]) == {"True"}
    assert shown["n"].dtype == np.float64

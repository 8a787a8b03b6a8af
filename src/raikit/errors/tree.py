"""A tree of where a model errs, found on one half of the rows and measured on the other.

As in Azure's error analysis (package erroranalysis, `surrogate_error_tree`) it is a single tree of
LightGBM that predicts the error from the features, of depth 3, with up to 31 leaves of at least 20
rows. There it is found and measured on the same rows, by which its worst leaf looks worse than it
is: S. Athey, G. Imbens, "Recursive partitioning for heterogeneous causal effects", PNAS 113 (2016)
7353-7360, on trees whose two halves keep each other honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.errors.settings import Settings
from stepkit.metrics import Floats
from stepkit.program import cores
from stepkit.table import as_text

#: A column of more different texts says who a row is, not of what kind.
MOST_TEXTS = 100
#: In the words of a condition; the rest are counted.
MOST_NAMED = 4
MISSING = "missing"
#: LightGBM writes 0 as 1e-35.
_ZERO = 1e-30


@dataclass(frozen=True)
class Rule:
    """What a path through the tree asks of one column.

    Attributes:
        low: A number is above it.
        high: A number is at most it.
        texts: A text is one of them; None of a column of numbers.
        missing: Whether a missing number belongs to it.
        known: Texts that the column has; empty for numbers.
    """

    low: float = -np.inf
    high: float = np.inf
    texts: frozenset[str] | None = None
    missing: bool = True
    known: frozenset[str] = frozenset()

    def holds(self, column: pd.Series) -> NDArray[np.bool_]:
        """Return which rows it holds for."""
        if self.texts is not None:
            inside: NDArray[np.bool_] = column.isin(self.texts).to_numpy()
            return inside
        values = column.to_numpy(dtype=np.float64)
        within: NDArray[np.bool_] = (values > self.low) & (values <= self.high)
        if self.missing:
            within |= np.isnan(values)
        return within

    def words(self, name: str, has_missing: bool) -> str:
        """Return it as text, such as `30 < age <= 45`."""
        if self.texts is not None:
            return self._named(name)
        low, high = f"{self.low:.6g}", f"{self.high:.6g}"
        if np.isfinite(self.low) and np.isfinite(self.high):
            text = f"{low} < {name} <= {high}"
        else:
            text = f"{name} <= {high}" if np.isfinite(self.high) else f"{name} > {low}"
        return f"{text} or missing" if self.missing and has_missing else text

    def _named(self, name: str) -> str:
        texts, others = sorted(self.texts or ()), sorted(self.known - (self.texts or frozenset()))
        if len(texts) == 1:
            return f"{name} is {texts[0]}"
        if len(others) == 1:
            return f"{name} is not {others[0]}"
        if len(texts) == 2:
            return f"{name} is {texts[0]} or {texts[1]}"
        if len(others) == 2:
            return f"{name} is neither {others[0]} nor {others[1]}"
        shown, word = (texts, "one of") if len(texts) <= len(others) else (others, "none of")
        more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
        return f"{name} is {word}: {', '.join(shown[:MOST_NAMED])}{more}"


@dataclass(frozen=True)
class Node:
    """A node of the tree: the rows that its rules hold for.

    Attributes:
        parent: The parent's place in the list; None for the root.
        condition: What leads here from the parent.
        rules: All rules from the root, by column.
        is_leaf: Whether no rows are told apart any more.
    """

    parent: int | None
    condition: str
    rules: Mapping[str, Rule]
    is_leaf: bool

    def rows(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows of a table of `readable` columns are in it."""
        inside = np.ones(len(table), dtype=bool)
        for name, rule in self.rules.items():
            inside &= rule.holds(table[name])
        return inside


@dataclass(frozen=True)
class ErrorTree:
    """The tree.

    Attributes:
        nodes: The root first; each after its parent.
        columns: Those that it splits by, the most telling first.
        with_missing: Columns of numbers of which some are missing.
    """

    nodes: tuple[Node, ...]
    columns: tuple[str, ...]
    with_missing: frozenset[str] = field(default_factory=frozenset)

    def describe(self, node: Node) -> str:
        """Return all that a node asks for, as text; `all rows` for the root."""
        parts = [rule.words(name, name in self.with_missing) for name, rule in node.rules.items()]
        return "; ".join(parts) or "all rows"


def readable(table: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return columns as numbers or texts, and those left out: times, and too many texts."""
    kept, left = {}, []
    for name in dict.fromkeys(columns):
        column = table[name]
        if pd.api.types.is_bool_dtype(column) or column.dtype == object:
            texts = as_text(column).fillna(MISSING)
            if texts.nunique() > MOST_TEXTS:
                left.append(name)
            else:
                kept[name] = texts
        elif pd.api.types.is_numeric_dtype(column):
            kept[name] = column.astype(np.float64)
        else:
            left.append(name)
    return pd.DataFrame(kept, index=table.index), left


@dataclass(frozen=True)
class _Columns:
    """What the columns of a table are.

    Attributes:
        names: In their order.
        texts: The different texts of each column that has them.
        missing: Columns of numbers of which some are missing.
        whole: Columns of whole numbers.
    """

    names: list[str]
    texts: Mapping[str, list[str]]
    missing: frozenset[str]
    whole: frozenset[str]

    @classmethod
    def of(cls, table: pd.DataFrame) -> _Columns:
        """Return those of a table that `readable` gave."""
        texts = {str(n): sorted(table[n].unique()) for n in table if table[n].dtype == object}
        numbers = [str(name) for name in table if name not in texts]
        present = {name: table[name].dropna() for name in numbers}
        return cls(
            [str(name) for name in table],
            texts,
            frozenset(name for name in numbers if len(present[name]) < len(table)),
            frozenset(n for n in numbers if bool((present[n] == present[n].round()).all())),
        )

    def coded(self, table: pd.DataFrame) -> Floats:
        """Return a table as numbers; texts by their places."""
        columns = [
            pd.Categorical(table[name], categories=self.texts[name]).codes
            if name in self.texts
            else table[name]
            for name in self.names
        ]
        return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])

    def whole_rule(self, name: str) -> Rule:
        """Return the rule of a column that holds for every row."""
        if name not in self.texts:
            return Rule()
        return Rule(texts=frozenset(self.texts[name]), known=frozenset(self.texts[name]))


def grow(
    table: pd.DataFrame, losses: Floats, rows: NDArray[np.intp], settings: Settings
) -> ErrorTree:
    """Return the tree that predicts losses, such as 1 for an error, from the columns.

    Args:
        table: What `readable` gave; all rows, so that every text is known.
        losses: Of the same rows; the largest hundredth counts no more than its bound, so that a
            few outliers are no branch.
        rows: Those that the tree is found on.
        settings: Says how large the tree may be.
    """
    from lightgbm import LGBMRegressor  # a second, and only needed here

    columns = _Columns.of(table)
    own = losses[rows]
    if not np.isin(own, (0.0, 1.0)).all():
        own = np.minimum(own, np.quantile(own, 0.99))
    model = LGBMRegressor(
        n_estimators=1,
        max_depth=settings.max_depth,
        num_leaves=settings.num_leaves,
        min_child_samples=settings.min_child_samples,
        # A split by texts may be of as few rows as one by numbers.
        min_data_per_group=settings.min_child_samples,
        n_jobs=cores(),
        random_state=settings.seed,
        deterministic=True,
        verbose=-1,
    )
    places = [number for number, name in enumerate(columns.names) if name in columns.texts]
    model.fit(columns.coded(table.iloc[rows]), own, categorical_feature=places)
    structure = model.booster_.dump_model()["tree_info"][0]["tree_structure"]
    gains = model.booster_.feature_importance("gain")
    ranked = sorted(zip(-gains, columns.names, strict=True))
    used = tuple(name for gain, name in ranked if gain < 0)
    return ErrorTree(tuple(_walk(structure, columns)), used, columns.missing)


def _walk(structure: Mapping[str, Any], columns: _Columns) -> list[Node]:
    """Return the nodes of LightGBM's nested ones, parents first."""
    nodes: list[Node] = []
    waiting = [(structure, Node(None, "", {}, "split_feature" not in structure))]
    while waiting:
        made, node = waiting.pop(0)
        place = len(nodes)
        nodes.append(node)
        if node.is_leaf:
            continue
        name = columns.names[made["split_feature"]]
        given = node.rules.get(name, columns.whole_rule(name))
        sides = made["left_child"], made["right_child"]
        for side, rule in zip(sides, _halves(made, name, given, columns), strict=True):
            condition = rule.words(name, name in columns.missing)
            rules = {**node.rules, name: rule}
            waiting.append((side, Node(place, condition, rules, "split_feature" not in side)))
    return nodes


def _halves(
    made: Mapping[str, Any], name: str, given: Rule, columns: _Columns
) -> tuple[Rule, Rule]:
    """Return what the left and the right child ask for, of what the parent asked for."""
    if name in columns.texts:
        texts, own = columns.texts[name], given.texts or frozenset()
        left = own & {texts[int(code)] for code in str(made["threshold"]).split("||")}
        return replace(given, texts=left), replace(given, texts=own - left)
    cut = float(made["threshold"])
    if name in columns.whole:
        cut = float(np.floor(cut))  # 9.5 is 9, and what LightGBM writes for 0, 1e-35, is 0
    elif abs(cut) < _ZERO:
        cut = 0.0
    # Of a column without missing numbers LightGBM says nothing; they would go right.
    goes_left = made["missing_type"] == "NaN" and bool(made["default_left"])
    return (
        replace(given, high=min(given.high, cut), missing=given.missing and goes_left),
        replace(given, low=max(given.low, cut), missing=given.missing and not goes_left),
    )

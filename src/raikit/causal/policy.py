"""Policies: a small tree that says for whom a treatment pays."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from raikit.causal.settings import Settings

#: By how much of a typical value a number is raised or lowered, in econml's policies.
_STEP = 0.1


@dataclass(frozen=True)
class Rule:
    """A node of a policy tree.

    Attributes:
        parent: The parent's place among the rules; None for the first.
        condition: What leads here from the parent; empty for the first.
        treatment: What to do here; empty where it depends on further conditions.
        rows: Test rows here.
    """

    parent: int | None
    condition: str
    treatment: str
    rows: int


@dataclass(frozen=True)
class Policy:
    """Whom to treat how, after costs.

    Attributes:
        treatment: The column.
        rules: The tree, parents first.
        gain: Mean gain a row of following it, in units of the outcome: over the baseline for names;
            for numbers of raising or lowering by a tenth of a typical value.
        always: Mean gain of giving everybody the same, by what is given.
        individual: For each test row, greatest gain first: `recommended`, `gain`, `low`, `high`,
            with the test row's label as index.
    """

    treatment: str
    rules: tuple[Rule, ...]
    gain: float
    always: Mapping[str, float]
    individual: pd.DataFrame


def policy_of(analysis: Any, X: pd.DataFrame, treatment: str, settings: Settings) -> Policy:
    """Return the policy of one treatment for test rows.

    Args:
        analysis: econml's fitted analysis.
        X: Test rows as it takes them.
        treatment: The column.
        settings: Costs, and how great the tree may be.
    """
    cost = settings.cost(treatment)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # econml calls scikit-learn as it was
        # The only way to the tree as data; Microsoft's own analysis takes it, too.
        output = analysis._policy_tree_output(  # noqa: SLF001
            X,
            treatment,
            treatment_costs=cost,
            max_depth=settings.max_tree_depth,
            min_samples_leaf=settings.min_tree_leaf_samples,
            alpha=settings.alpha,
        )
        # There the cost is of the step that is told of, here of a unit.
        step = 1.0
        if X[treatment].dtype != object:
            step = _STEP * float(analysis.typical_treatment_value(X.columns.get_loc(treatment)))
        individual = analysis.individualized_policy(
            X.reset_index(drop=True), treatment, treatment_costs=cost * step, alpha=settings.alpha
        )
    encoded = {
        f"{name}_{value}": (name, value)
        for name in X.columns
        if X[name].dtype == object
        for value in X[name].unique()
    }
    return Policy(
        treatment=treatment,
        rules=tuple(_rules(output.tree_dictionary, encoded)),
        gain=float(output.policy_value),
        always={str(name): float(value) for name, value in output.always_treat.items()},
        individual=_individual(individual, X.index),
    )


def _rules(tree: Mapping[str, Any], encoded: Mapping[str, tuple[str, Any]]) -> Iterator[Rule]:
    """Give the nodes of econml's tree, parents first."""
    waiting: list[tuple[Mapping[str, Any], int | None, str]] = [(tree, None, "")]
    place = 0
    while waiting:
        node, parent, condition = waiting.pop(0)
        yield Rule(parent, condition, str(node.get("treatment", "")), _rows(node))
        if not node["leaf"]:
            left, right = _conditions(str(node["feature"]), float(node["threshold"]), encoded)
            waiting += [(node["left"], place, left), (node["right"], place, right)]
        place += 1


def _rows(node: Mapping[str, Any]) -> int:
    return int(node["n_samples"]) if node["leaf"] else _rows(node["left"]) + _rows(node["right"])


def _conditions(
    feature: str, threshold: float, encoded: Mapping[str, tuple[str, Any]]
) -> tuple[str, str]:
    if feature in encoded:
        name, value = encoded[feature]
        return f"{name} is not {value}", f"{name} is {value}"
    return f"{feature} <= {threshold:.4g}", f"{feature} > {threshold:.4g}"


def _individual(found: pd.DataFrame, labels: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recommended": found["Treatment"].astype(str).to_numpy(),
            "gain": found["Effect of treatment"].to_numpy(dtype=float),
            "low": found["Effect of treatment lower bound"].to_numpy(dtype=float),
            "high": found["Effect of treatment upper bound"].to_numpy(dtype=float),
        },
        index=labels[found.index],
    )

"""The analyses that the step can run: a function of each name, with its settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from raikit import balance, causal, counterfactual, errors, fairness
from stepkit.figures import Figure
from stepkit.findings import Section
from stepkit.model import Model
from stepkit.program import names


@dataclass(frozen=True)
class Asked:
    """What the step is asked for.

    Attributes:
        args: Its arguments.
        sensitive: The sensitive columns.
        words: How they came about.
        ranges: Where their numbers are cut.
    """

    args: argparse.Namespace
    sensitive: tuple[str, ...]
    words: str
    ranges: Mapping[str, tuple[float, ...]]


Analysis: TypeAlias = (
    "Callable[[Model, pd.DataFrame, pd.DataFrame, Asked], "
    "tuple[tuple[Figure, ...], tuple[Section, ...]]]"
)


def error_settings(asked: Asked) -> errors.Settings:
    """Return what error analysis is asked for."""
    args = asked.args
    return errors.Settings(
        folder=args.report,
        max_depth=args.max_depth,
        num_leaves=args.num_leaves,
        min_child_samples=args.min_child_samples,
        error=args.error,
        columns=asked.sensitive,
        heatmap=() if args.heatmap == "auto" else names(args.heatmap),
        bins=args.bins,
        positive_label=args.positive_label,
        seed=args.seed,
    )


def fairness_settings(asked: Asked) -> fairness.Settings:
    """Return what the analyses of fairness and balance are asked for."""
    args = asked.args
    return fairness.Settings(
        folder=args.report,
        sensitive=asked.sensitive,
        chosen=asked.words,
        ranges=asked.ranges,
        min_rows=args.min_rows,
        positive_label=args.positive_label,
        seed=args.seed,
    )


def counterfactual_settings(asked: Asked, features: Collection[str]) -> counterfactual.Settings:
    """Return what the search for counterfactuals is asked for; see `immutable`."""
    args = asked.args
    return counterfactual.Settings(
        total_cfs=args.counterfactuals,
        desired_class="opposite" if args.positive_label == "auto" else args.positive_label,
        immutable=immutable(asked, features),
        rows=args.counterfactual_rows,
        seed=args.seed,
    )


def causal_settings(asked: Asked, features: Collection[str]) -> causal.Settings:
    """Return what the analysis of effects is asked for."""
    args = asked.args
    return causal.Settings(
        treatment_features=() if args.treatments == "auto" else names(args.treatments),
        immutable=immutable(asked, features),
        train_rows=args.causal_rows,
        seed=args.seed,
    )


def immutable(asked: Asked, features: Collection[str]) -> tuple[str, ...]:
    """Return the features that nobody can change: those named, else the sensitive ones."""
    given = asked.args.immutable
    if given == "auto":
        return tuple(name for name in asked.sensitive if name in features)
    return () if given == "none" else names(given)


#: By name, in the order of the report.
ANALYSES: Mapping[str, Analysis] = {
    "errors": lambda model, train, test, asked: errors.sections(
        model, train, test, error_settings(asked)
    ),
    "fairness": lambda model, train, test, asked: fairness.sections(
        model, train, test, fairness_settings(asked)
    ),
    "balance": lambda model, train, test, asked: balance.sections(
        model, train, test, fairness_settings(asked)
    ),
    "counterfactuals": lambda model, train, test, asked: counterfactual.sections(
        model, train, test, counterfactual_settings(asked, model.features)
    ),
    "causal": lambda model, train, test, asked: causal.sections(
        model, train, test, causal_settings(asked, model.features)
    ),
}

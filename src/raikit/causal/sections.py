"""Causal effects as figures and a section of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from raikit.causal.effects import Effect, Effects, analyse
from raikit.causal.overlap import LEAST_UNEXPLAINED
from raikit.causal.policy import Policy
from raikit.causal.settings import ASSUMPTIONS, Settings
from raikit.columns import numbers, sampled
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Choice, Node, Section, Table, Tree
from stepkit.model import Model
from stepkit.table import label_text

TITLE = "What would change the outcome"
#: Treatments that are chosen where none are named.
_CHOSEN = 3


def sections(
    model: Model, train: pd.DataFrame, test: pd.DataFrame, settings: Settings
) -> tuple[tuple[Figure, ...], tuple[Section, ...]]:
    """Tell causal effects on the model's target, from the data.

    Where no treatment is named, those numbers are taken that go with the target most (Spearman's
    rank correlation) and are not immutable: something to begin with, not a statement that they can
    be treated.

    Args:
        model: Says target, task, and features.
        train: Rows to learn from, with the target.
        test: Rows to tell individual effects of.
        settings: What is asked.

    Raises:
        StepError: It cannot be asked so.
    """
    features = {name: kind for name, kind in model.features.items() if name != model.target}
    chosen = list(settings.treatment_features) or _chosen(model, train, settings)
    if model.task == "classification":
        classes = train[model.target].dropna().map(label_text).nunique()
        if classes != 2:
            words = f"Causal effects are told of two classes or a number; this has {classes}."
            return (), (Section(TITLE, (words,)),)
    if not chosen:
        return (), (Section(TITLE, ("No column of numbers could be treated; name one.",)),)
    found = analyse(
        train,
        test,
        target=model.target,
        task=model.task,
        features=features,
        settings=replace(settings, treatment_features=chosen),
    )
    return describe(found, settings, named=bool(settings.treatment_features))


def describe(
    found: Effects, settings: Settings, *, named: bool = True
) -> tuple[tuple[Figure, ...], tuple[Section, ...]]:
    """Return what an analysis came to as figures and a section.

    Args:
        found: What it came to.
        settings: What was asked.
        named: Whether the treatments were named by who asks.
    """
    figures = tuple(_figure(each, found, settings) for each in found.effects)
    return figures, (Section(TITLE, _words(found, settings, named), _blocks(found, settings)),)


def _chosen(model: Model, train: pd.DataFrame, settings: Settings) -> list[str]:
    drawn = sampled(train[train[model.target].notna()], settings.train_rows, settings.seed)
    target = drawn[model.target]
    codes = target if model.task == "regression" else target.map(label_text).rank(method="dense")
    strength = {
        name: abs(float(drawn[name].corr(codes, method="spearman")))
        for name in numbers(model.features, settings.categorical)
        if name not in settings.immutable and name != model.target and drawn[name].nunique() > 2
    }
    present = [name for name, value in strength.items() if not math.isnan(value)]
    ranked = sorted(present, key=lambda name: -strength[name])
    return [name for name in ranked if not _repeated(drawn, name, model)][:_CHOSEN]


def _repeated(table: pd.DataFrame, name: str, model: Model) -> bool:
    """Tell whether another column says the same in other words, as a number for each name does."""
    return any(
        bool((table.groupby(other)[name].nunique() <= 1).all())
        and table[other].nunique() < len(table) / 2
        for other in model.features
        if other not in (name, model.target)
    )


def _figure(effect: Effect, found: Effects, settings: Settings) -> Figure:
    return Figure(
        "causal_effect",
        "interpretation",
        effect.point,
        None,
        found.train_rows,
        low=effect.low,
        high=effect.high,
        level=1 - settings.alpha,
        cohort=effect.name,
    )


def _words(found: Effects, settings: Settings, named: bool) -> list[str]:
    shared = [name for name, own in found.unexplained.items() if own < LEAST_UNEXPLAINED]
    sure = [
        each
        for each in found.effects
        if (each.low > 0 or each.high < 0) and each.treatment not in shared
    ]
    results = [_sentence(each, found.outcome) for each in sure[:_CHOSEN]] or [
        "No effect was found that chance alone does not explain."
    ]
    words = [
        *results,
        "Other parts of this report tell what the model reacts to. This one asks of the data what "
        f"would become of {found.outcome} if one column were set to something else and all else "
        "stayed as it is. The model has no part in it.",
        f"Learned from {found.train_rows:,} training rows (econml's double machine learning). Each "
        f"effect is of one more unit, or of one name instead of another, with its "
        f"{1 - settings.alpha:.0%} interval; an interval that holds 0 tells of no effect.",
    ]
    if not named:
        words.append(
            "The columns were chosen because they go with the outcome, not because anybody could "
            "change them: name the treatments that are yours to set."
        )
    words += [
        f"{name} is all but told by the other columns, so no row shows what it does by itself: do "
        "not rely on its effect."
        for name in shared
    ]
    words += [f"{name} was left out: {reason}." for name, reason in found.left_out.items()]
    return [*words, "This holds only if: " + " ".join(ASSUMPTIONS)]


def _sentence(effect: Effect, outcome: str) -> str:
    what = (
        f"{effect.treatment} {effect.value} instead of {effect.baseline}"
        if effect.value
        else f"One more unit of {effect.treatment}"
    )
    way = "raises" if effect.point > 0 else "lowers"
    of = f"the probability of {outcome}" if " = " in outcome else outcome
    return (
        f"{what} {way} {of} by {abs(effect.point):.3g} on average "
        f"({effect.low:.3g} to {effect.high:.3g})."
    )


def _blocks(found: Effects, settings: Settings) -> list[Block]:
    head = ("treatment", "effect", "low", "high", "p", "10 % of rows below", "10 % of rows above")
    rows = [
        (each.name, each.point, each.low, each.high, each.p_value, *_spread(each))
        for each in found.effects
    ]
    formats = dict.fromkeys(head[1:], ".4g")
    return [
        Bars(
            [each.name for each in found.effects],
            [each.point for each in found.effects],
            f"effect on {found.outcome}",
            low=[each.low for each in found.effects],
            high=[each.high for each in found.effects],
            caption="Average effects; units differ, so lengths compare only within a unit",
        ),
        Table(head, rows, formats, caption="Average effects, and how they differ between rows"),
        Choice("treatment", {each.treatment: _policy(each, settings) for each in found.policies}),
    ]


def _spread(effect: Effect) -> tuple[float, float]:
    individual = pd.Series(effect.individual)
    return float(individual.quantile(0.1)), float(individual.quantile(0.9))


def _policy(policy: Policy, settings: Settings) -> Sequence[Block]:
    nodes = [
        Node(rule.parent, rule.condition, None, rule.rows, rule.treatment) for rule in policy.rules
    ]
    always = [(f"{name} for all", gain) for name, gain in policy.always.items()]
    rows = [("as the tree says", policy.gain), *always]
    return (
        Tree(
            nodes, ".3g", caption=f"Whom to treat, at a cost of {settings.cost(policy.treatment):g}"
        ),
        Table(("what is done", "mean gain"), rows, {"mean gain": ".4g"}),
    )

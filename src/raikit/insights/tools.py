"""The tools: each questions the model and writes what it found into a folder of its own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raikit import causal, counterfactual, errors
from raikit.explanation.importance import permutation_importance
from raikit.explanation.shapley import contributions
from raikit.explanation.subject import Subject as Explained
from raikit.insights.counterfactuals import counterfactuals
from raikit.insights.store import Subject, read_subject
from stepkit.figures import Figure, Figures, write_figures
from stepkit.findings import Bars, Section, Table, write_findings
from stepkit.program import StepError, write_json

#: What a tool writes beside figures and findings.
DETAILS = "insight.json"
#: Rows that explanations are made of.
_EXPLAINED, _BACKGROUND, _SHUFFLED = 400, 100, 2500
#: Training rows that causal effects are learned from; more take longer in proportion, and three
#: times as many make intervals narrower by 40 %.
_CAUSAL = 10_000


def write_insight(
    folder: Path,
    tool: str,
    subject: Subject,
    figures: Sequence[Figure],
    sections: Sequence[Section],
    details: Mapping[str, Any],
) -> None:
    """Write what a tool found: figures, findings, and the details that others compute with."""
    insights = subject.insights
    write_figures(folder, Figures(tool, insights.model_digest, insights.test_digest, figures))
    write_findings(folder, tool, sections)
    write_json(folder / DETAILS, {"tool": tool, **details})


def explanation(args: argparse.Namespace) -> str:
    """Tell how columns matter; return it in a line."""
    subject = read_subject(args.rai_insights_dashboard)
    explained = Explained.of(subject.model, subject.train)
    test = subject.test[subject.test[subject.model.target].notna()]
    drawn = test.sample(min(_EXPLAINED, len(test)), random_state=0)
    background = subject.train.sample(min(_BACKGROUND, len(subject.train)), random_state=0)
    found = contributions(
        explained, explained.columns(drawn), explained.columns(background), "auto", seed=0
    )
    lost = permutation_importance(
        explained, test.sample(min(_SHUFFLED, len(test)), random_state=0), repeats=5, seed=0
    )
    strength = dict(zip(explained.names, map(float, found.strength), strict=True))
    permuted = dict(zip(explained.names, map(float, lost.mean), strict=True))
    ranked = sorted(strength, key=lambda name: -strength[name])
    words = (
        f"How much each column moves the prediction of a row away from the average one (SHAP, over "
        f"{len(drawn)} test rows), and how much worse the model gets when the column is shuffled "
        f"(loss of {lost.metric}). {ranked[0]} matters most."
    )
    rows = [(name, strength[name], permuted[name]) for name in ranked]
    section = Section(
        "What the model looks at",
        (words, *((args.comment,) if args.comment else ())),
        (
            Bars(ranked[:20], [strength[name] for name in ranked[:20]], "mean |contribution|"),
            Table(
                ("column", "mean |contribution|", "loss when shuffled"),
                rows,
                {"mean |contribution|": ".4g", "loss when shuffled": ".4g"},
                sorted_by="mean |contribution|",
            ),
        ),
    )
    details = {
        "comment": args.comment,
        "importance": {name: strength[name] for name in ranked},
        "permutation": {name: permuted[name] for name in ranked},
    }
    write_insight(args.output, "explanation", subject, (), (section,), details)
    return f"{ranked[0]} matters most of {len(ranked)} columns"


def causal_effects(args: argparse.Namespace) -> str:
    """Tell causal effects; return how many, in a line."""
    subject = read_subject(args.rai_insights_dashboard)
    treatments = [str(each) for each in args.treatment_features]
    if args.categories != "auto":
        raise StepError("categories can only be auto here", hint="leave categories out")
    settings = causal.Settings(
        treatment_features=treatments,
        heterogeneity_features=args.heterogeneity_features,
        nuisance_model=args.nuisance_model,
        heterogeneity_model=args.heterogeneity_model,
        alpha=args.alpha,
        upper_bound_on_cat_expansion=args.upper_bound_on_cat_expansion,
        treatment_cost=_costs(args.treatment_cost, treatments),
        min_tree_leaf_samples=args.min_tree_leaf_samples,
        max_tree_depth=args.max_tree_depth,
        skip_cat_limit_checks=args.skip_cat_limit_checks,
        categorical=subject.insights.categorical,
        n_jobs=args.n_jobs,
        seed=args.random_state or 0,  # so that the same job gives the same
        train_rows=_CAUSAL,
        test_rows=len(subject.test),
    )
    found = causal.analyse(
        subject.train,
        subject.test,
        target=subject.model.target,
        task=subject.model.task,
        features=subject.model.features,
        settings=settings,
    )
    figures, sections = causal.describe(found, settings)
    write_insight(args.output, "causal", subject, figures, sections, causal.document(found))
    return f"{len(found.effects)} effects of {len(found.policies)} treatments on {found.outcome}"


def _costs(given: float | list[float], treatments: Sequence[str]) -> float | dict[str, float]:
    if not isinstance(given, list):
        return given
    if len(given) != len(treatments):
        raise StepError(
            f"treatment_cost has {len(given)} costs of {len(treatments)} treatments",
            hint="give one for each, in their order, or a single number",
        )
    return dict(zip(treatments, given, strict=True))


def counterfactual_rows(args: argparse.Namespace) -> str:
    """Find counterfactuals; return for how many rows, in a line."""
    subject = read_subject(args.rai_insights_dashboard)
    desired = args.desired_class or "opposite"
    span = args.desired_range
    if span is not None and len(span) != 2:
        raise StepError("desired_range is not two numbers", hint="such as [5, 10]")
    settings = counterfactual.Settings(
        method=args.method,
        total_cfs=args.total_CFs,
        desired_class=desired,
        desired_range=None if span is None else (float(span[0]), float(span[1])),
        permitted_range=args.permitted_range,
        features_to_vary=args.features_to_vary,
        categorical=subject.insights.categorical,
    )
    found, left = counterfactuals(subject, settings)
    rows = "of the first test rows" if left else "test rows"
    figures, sections = counterfactual.describe(found, settings, rows)
    details = counterfactual.document(found, with_importance=args.feature_importance)
    write_insight(
        args.output, "counterfactual", subject, figures, sections, {**details, "rows_left": left}
    )
    reached = sum(len(each.table) > 0 for each in found)
    needed = sum(each.is_needed for each in found)
    return f"counterfactuals of {reached} of {needed} rows" + (
        f"; {left} more rows were not searched, for the time it takes" if left else ""
    )


def error_analysis(args: argparse.Namespace) -> str:
    """Find where the model errs most; return how much more than elsewhere, in a line."""
    subject = read_subject(args.rai_insights_dashboard)
    filters = tuple(str(each) for each in args.filter_features or ())
    settings = errors.Settings(
        folder=args.output,
        max_depth=args.max_depth,
        num_leaves=args.num_leaves,
        min_child_samples=args.min_child_samples,
        heatmap=filters,
    )
    figures, sections = errors.sections(subject.model, subject.train, subject.test, settings)
    write_insight(args.output, "error_analysis", subject, figures, sections, {})
    ratio = next(each for each in figures if each.name == "worst_cohort_error_ratio")
    if ratio.value is None:
        return ratio.note
    return f"worst where {ratio.note}: {ratio.value:.2f} times as many errors as elsewhere"

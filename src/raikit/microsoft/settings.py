"""What the arguments of a tool ask of responsibleai, read as Microsoft's components read them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from stepkit.program import StepError


def construction(args: argparse.Namespace, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `RAIInsights` but for model and tables; `feature_metadata` plain.

    Args:
        args: Of the constructor.
        metadata: Its `feature_metadata`, checked.
    """
    columns = args.categorical_column_names or metadata.get("categorical_features")
    return {
        "target_column": args.target_column_name,
        "task_type": args.task_type,
        "classes": args.classes or None,
        "feature_metadata": {**metadata, **({"categorical_features": columns} if columns else {})},
        "maximum_rows_for_test": args.maximum_rows_for_test_dataset,
    }


def causal(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `RAIInsights.causal.add`."""
    return {
        "treatment_features": args.treatment_features,
        "heterogeneity_features": args.heterogeneity_features,
        "nuisance_model": args.nuisance_model,
        "heterogeneity_model": args.heterogeneity_model,
        "alpha": args.alpha,
        "upper_bound_on_cat_expansion": args.upper_bound_on_cat_expansion,
        "treatment_cost": args.treatment_cost,
        "min_tree_leaf_samples": args.min_tree_leaf_samples,
        "max_tree_depth": args.max_tree_depth,
        "skip_cat_limit_checks": args.skip_cat_limit_checks,
        "categories": _text_or_list(args.categories),
        "n_jobs": args.n_jobs,
        "verbose": args.verbose,
        "random_state": args.random_state,
    }


def counterfactual(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `RAIInsights.counterfactual.add`."""
    return {
        "total_CFs": args.total_CFs,
        "method": args.method,
        "desired_class": _text_or_number(args.desired_class),
        "desired_range": args.desired_range or None,
        "permitted_range": args.permitted_range or None,
        "features_to_vary": args.features_to_vary,
        "feature_importance": args.feature_importance,
    }


def error_analysis(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `RAIInsights.error_analysis.add`."""
    return {
        "max_depth": args.max_depth,
        "num_leaves": args.num_leaves,
        "min_child_samples": args.min_child_samples,
        "filter_features": args.filter_features or None,
    }


def _text_or_number(text: str) -> str | int | None:
    plain = text.strip("\"'")
    try:
        return int(plain)
    except ValueError:
        return plain or None


def _text_or_list(text: str) -> str | list[Any]:
    if not text.lstrip().startswith("["):
        return text.strip("\"'")
    try:
        found: list[Any] = json.loads(text)
    except ValueError as error:
        raise StepError(f"categories is not JSON: {error}", hint='auto, or [["a", "b"]]') from None
    return found

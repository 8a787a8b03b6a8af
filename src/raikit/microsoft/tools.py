"""The constructor and the tools: each adds one request to a dashboard and has it computed."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from responsibleai import RAIInsights

from raikit.insights.given import given_metadata, given_model
from raikit.microsoft import dashboards, folders, settings, tables


def constructor(args: argparse.Namespace) -> str:
    """Write the folder that tools read; return what it is about, in a line.

    Raises:
        StepError: The model or a table cannot be had, or the model does not work here.
    """
    arguments = settings.construction(args, given_metadata(args))
    tables.keep(tables.read_given(args.train_dataset), args.output / folders.TRAIN)
    tables.keep(tables.read_given(args.test_dataset), args.output / folders.TEST)
    with tempfile.TemporaryDirectory() as scratch:
        folders.write(args.output, args.title, arguments, given_model(args, Path(scratch)))
    made = dashboards.insights(args.output)  # what is wrong is told of now
    return (
        f"{args.title}: {made.task_type} of {made.target_column}, {len(made.train)} training and "
        f"{len(made.test)} test rows"
    )


def explanation(args: argparse.Namespace) -> str:
    """Explain the model by a mimic of it; return so, in a line."""
    _analysed(args, "explainer", {})
    return "the model is explained"


def causal(args: argparse.Namespace) -> str:
    """Estimate causal effects; return of what, in a line."""
    _analysed(args, "causal", settings.causal(args))
    return f"causal effects of {', '.join(map(str, args.treatment_features))}"


def counterfactual(args: argparse.Namespace) -> str:
    """Find counterfactuals of all test rows; return of how many, in a line."""
    made = _analysed(args, "counterfactual", settings.counterfactual(args))
    return f"counterfactuals of {len(made.test)} rows"


def error_analysis(args: argparse.Namespace) -> str:
    """Grow the tree of errors; return its size, in a line."""
    made = _analysed(args, "error_analysis", settings.error_analysis(args))
    return f"a tree of {len(made.error_analysis.get()[0].tree)} nodes"


def _analysed(args: argparse.Namespace, name: str, asked: Mapping[str, Any]) -> RAIInsights:
    """Write an analysis, named as its manager is in a dashboard and its folder in a saved one."""
    made = dashboards.insights(args.rai_insights_dashboard)
    getattr(made, name).add(**asked)
    made.compute()
    dashboards.write_analysis(made, args.output, name, args.rai_insights_dashboard)
    return made

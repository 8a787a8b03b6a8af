"""Arguments of the tools, named and written as Azure's components write theirs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stepkit.program import boolean


def a_list(text: str) -> list[Any]:
    """Parse a JSON list.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    found = _parsed(text)
    if not isinstance(found, list):
        raise argparse.ArgumentTypeError(f'{text!r} is not a list in JSON, such as ["a", "b"]')
    return found


def a_list_or_none(text: str) -> list[Any] | None:
    """Parse a JSON list, or `null`; as `a_list`."""
    return None if text.strip() in ("null", "None", "") else a_list(text)


def a_mapping(text: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    found = _parsed(text)
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f'{text!r} is not an object in JSON, such as {{"a": 1}}')
    return found


def all_or_list(text: str) -> list[Any] | str:
    """Parse `all`, or a JSON list; as `a_list`."""
    return "all" if text.strip().strip('"') == "all" else a_list(text)


def costs(text: str) -> float | list[float]:
    """Parse a number, or a JSON list of numbers.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    found = _parsed(text)
    if isinstance(found, list) and all(isinstance(each, (int, float)) for each in found):
        return found
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not a number or a list of numbers")


def seed(text: str) -> int | None:
    """Parse a whole number, or `None`."""
    return None if text.strip() in ("None", "null", "") else int(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None


def parser() -> argparse.ArgumentParser:
    """Return the parser of all tools."""
    whole = argparse.ArgumentParser(prog="python -m raikit", description=__doc__)
    tools = whole.add_subparsers(dest="tool", required=True)
    _constructor(tools.add_parser("constructor"))
    explanation = _tool(tools, "explanation", "explanation")
    explanation.add_argument("--comment", default="")
    _causal(_tool(tools, "causal", "causal"))
    _counterfactual(_tool(tools, "counterfactual", "counterfactual"))
    errors = _tool(tools, "erroranalysis", "error_analysis")
    errors.add_argument("--max_depth", type=int, default=3)
    errors.add_argument("--num_leaves", type=int, default=31)
    errors.add_argument("--min_child_samples", type=int, default=20)
    errors.add_argument("--filter_features", type=a_list_or_none, default=None)
    gather = tools.add_parser("gather")
    gather.add_argument("--constructor", type=Path, required=True)
    for number in range(1, 5):
        gather.add_argument(f"--insight_{number}", type=Path)
    gather.add_argument("--dashboard_output", type=Path, required=True)
    gather.add_argument("--ux_json_output", type=Path, required=True)
    card = tools.add_parser("scorecard")
    card.add_argument("--dashboard", type=Path, required=True)
    card.add_argument("--pdf_generation_config", type=Path, required=True)
    card.add_argument("--predefined_cohorts_json", type=Path)
    card.add_argument("--scorecard_output", type=Path, required=True)
    return whole


def _tool(tools: Any, name: str, output: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = tools.add_parser(name)
    made.add_argument("--rai_insights_dashboard", type=Path, required=True)
    made.add_argument(f"--{output}_output", dest="output", type=Path, required=True)
    return made


def _constructor(made: argparse.ArgumentParser) -> None:
    tasks = ("classification", "regression", "forecasting")
    made.add_argument("--title", required=True)
    made.add_argument("--task_type", choices=tasks, required=True)
    made.add_argument("--model_info_path", type=Path)
    made.add_argument("--model_input", type=Path)
    made.add_argument("--model_info", default="")
    made.add_argument("--train_dataset", type=Path, required=True)
    made.add_argument("--test_dataset", type=Path, required=True)
    made.add_argument("--target_column_name", required=True)
    made.add_argument("--maximum_rows_for_test_dataset", type=int, default=5000)
    made.add_argument("--categorical_column_names", type=a_list_or_none, default=None)
    made.add_argument("--classes", type=a_list_or_none, default=None)
    made.add_argument("--feature_metadata", type=a_mapping, default={})
    made.add_argument("--use_model_dependency", type=boolean, default=False)
    made.add_argument("--rai_insights_dashboard_output", dest="output", type=Path, required=True)


def _causal(made: argparse.ArgumentParser) -> None:
    made.add_argument("--treatment_features", type=a_list, required=True)
    made.add_argument("--heterogeneity_features", type=a_list_or_none, default=None)
    made.add_argument("--nuisance_model", default="linear")
    made.add_argument("--heterogeneity_model", default="linear")
    made.add_argument("--alpha", type=float, default=0.05)
    made.add_argument("--upper_bound_on_cat_expansion", type=int, default=50)
    made.add_argument("--treatment_cost", type=costs, default=0)
    made.add_argument("--min_tree_leaf_samples", type=int, default=2)
    made.add_argument("--max_tree_depth", type=int, default=2)
    made.add_argument("--skip_cat_limit_checks", type=boolean, default=False)
    made.add_argument("--categories", default="auto")
    made.add_argument("--n_jobs", type=int, default=1)
    made.add_argument("--verbose", type=int, default=1)
    made.add_argument("--random_state", type=seed, default=None)


def _counterfactual(made: argparse.ArgumentParser) -> None:
    made.add_argument("--total_CFs", type=int, default=10)
    made.add_argument("--method", default="random")
    made.add_argument("--desired_class", default="")
    made.add_argument("--desired_range", type=a_list_or_none, default=None)
    made.add_argument("--permitted_range", type=a_mapping, default={})
    made.add_argument("--features_to_vary", type=all_or_list, default="all")
    made.add_argument("--feature_importance", type=boolean, default=True)

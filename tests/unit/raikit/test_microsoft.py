"""Microsoft's engine as far as it goes without its packages."""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import raikit
from raikit.insights.arguments import parser
from raikit.insights.given import given_metadata
from raikit.microsoft import __main__ as program
from raikit.microsoft import folders, settings, tables
from stepkit.program import StepError

TOOL = ("--rai_insights_dashboard", "d")


def parsed(*arguments: str) -> argparse.Namespace:
    return parser().parse_args(arguments)


def construction(*more: str) -> dict[str, Any]:
    args = parsed(
        *("constructor", "--title", "T", "--task_type", "classification"),
        *("--train_dataset", "a", "--test_dataset", "b", "--target_column_name", "y"),
        *("--rai_insights_dashboard_output", "o", *more),
    )
    return settings.construction(args, given_metadata(args))


def test_the_constructor_asks_what_azures_asks() -> None:
    assert construction() == {
        "target_column": "y",
        "task_type": "classification",
        "classes": None,
        "feature_metadata": {},
        "maximum_rows_for_test": 5000,
    }
    asked = construction(
        *("--classes", "[]", "--categorical_column_names", '["a"]'),
        *("--feature_metadata", '{"dropped_features": ["b"], "categorical_features": ["c"]}'),
    )
    assert asked["classes"] is None
    assert asked["feature_metadata"] == {"dropped_features": ["b"], "categorical_features": ["a"]}


def test_causal_asks_what_azures_asks() -> None:
    given = ("causal", *TOOL, "--causal_output", "o", "--treatment_features", '["a"]')
    asked = settings.causal(parsed(*given, "--random_state", "None"))
    assert asked["random_state"] is None
    assert asked["categories"] == "auto"
    # The toolbox takes the whole number 0, and no other number, for no costs.
    assert repr(asked["treatment_cost"]) == "0"
    assert asked["heterogeneity_features"] is None
    lists = ("--categories", '[["u", "v"]]', "--treatment_cost", "[1, 2.5]")
    asked = settings.causal(parsed(*given, *lists, "--random_state", "7"))
    assert asked["categories"] == [["u", "v"]]
    assert asked["treatment_cost"] == [1, 2.5]
    assert asked["random_state"] == 7
    with pytest.raises(StepError, match="categories is not JSON"):
        settings.causal(parsed(*given, "--categories", "[u"))


@pytest.mark.parametrize(
    ("text", "asked"), [("", None), ("opposite", "opposite"), ("1", 1), ("'yes'", "yes")]
)
def test_a_class_is_a_number_or_a_name(text: str, asked: object) -> None:
    given = ("counterfactual", *TOOL, "--counterfactual_output", "o", "--desired_class", text)
    found = settings.counterfactual(parsed(*given))
    assert found["desired_class"] == asked
    assert (found["desired_range"], found["permitted_range"]) == (None, None)
    assert (found["total_CFs"], found["features_to_vary"]) == (10, "all")


def test_no_filters_are_none() -> None:
    given = ("erroranalysis", *TOOL, "--error_analysis_output", "o", "--filter_features", "[]")
    assert settings.error_analysis(parsed(*given)) == {
        "max_depth": 3,
        "num_leaves": 31,
        "min_child_samples": 20,
        "filter_features": None,
    }


def test_tables_stay_as_they_are(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": [1, 2], "f": [0.1, None], "t": ["x", None]}, index=[5, 3])
    table["d"] = pd.to_datetime(["2026-01-01", "2026-01-02"])
    table["c"] = pd.Categorical(["u", "v"])
    tables.keep(table, tmp_path / "train")
    pd.testing.assert_frame_equal(tables.kept(tmp_path / "train"), table)
    with pytest.raises(StepError, match="several kinds"):
        tables.keep(pd.DataFrame({"a": [1, "x"]}), tmp_path / "test")


def test_parquet_and_csv_are_read(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    for kind in ("csv", "parquet"):
        (tmp_path / kind).mkdir()
    table.to_csv(tmp_path / "csv" / "rows.csv", index=False)
    table[:1].to_parquet(tmp_path / "parquet" / "a.parquet")
    table[1:].to_parquet(tmp_path / "parquet" / "b.parquet")
    for path in ("csv", "csv/rows.csv", "parquet"):
        pd.testing.assert_frame_equal(tables.read_given(tmp_path / path), table)


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no file or folder"):
        tables.read_given(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("x")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StepError, match="no table"):
            tables.read_given(path)


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}")
    folders.write(tmp_path / "rai", "T", construction(), tmp_path / "model")
    return folders.read(tmp_path / "rai")


def analysis(folder: Path, name: str, known: dict[str, Any], **changed: object) -> Path:
    (folder / name).mkdir(parents=True)
    folders.write_json(folder / folders.FILE, {**known, **changed})
    return folder


def test_analyses_are_gathered_by_their_folder(known: dict[str, Any], tmp_path: Path) -> None:
    given = [
        analysis(tmp_path / "1", "causal", known),
        analysis(tmp_path / "2", "explainer", known),
    ]
    assert folders.analyses(given, known) == {"causal": given[0], "explainer": given[1]}


def test_what_does_not_belong_together_is_not_gathered(
    known: dict[str, Any], tmp_path: Path
) -> None:
    one = analysis(tmp_path / "1", "causal", known)
    with pytest.raises(StepError, match="twice"):
        folders.analyses([one, one], known)
    other = analysis(tmp_path / "2", "causal", known, model_id="other")
    with pytest.raises(StepError, match="another constructor"):
        folders.analyses([other], known)
    with pytest.raises(StepError, match="has no analysis"):
        folders.analyses([tmp_path / "rai"], known)
    with pytest.raises(StepError, match="not written by the engine"):
        folders.analyses([tmp_path], known)


def test_without_the_toolbox_it_says_how_to_get_it() -> None:
    with pytest.raises(StepError, match=r"responsibleai[\s\S]*--environment auto"):
        program.main(["erroranalysis", *TOOL, "--error_analysis_output", "o"])


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found


def test_of_this_project_it_needs_the_standard_library_alone() -> None:
    source = Path(raikit.__file__).parents[1]
    outer = {
        name
        for file in (source / "raikit/microsoft").glob("*.py")
        for name in imports_of(file)
        if name.startswith(("raikit.", "stepkit.")) and not name.startswith("raikit.microsoft")
    }
    files = {source / f"{name.replace('.', '/')}.py" for name in outer}
    shared = {file for file in files if file.is_file()}
    assert {file.name for file in shared} == {"arguments.py", "given.py", "program.py"}
    for file in shared:
        roots = {name.split(".")[0] for name in imports_of(file)}
        # MLflow is imported where a registered model is fetched, and is of that environment, too.
        assert roots <= {*sys.stdlib_module_names, "stepkit", "mlflow"}

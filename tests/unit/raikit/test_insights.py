from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.raikit.conftest import people

import raikit.__main__ as program
from raikit.insights.counterfactuals import VARIABLE
from raikit.insights.store import read_subject
from stepkit.figures import read_figures
from stepkit.findings import read_findings
from stepkit.program import StepError, read_json
from stepkit.table import write_mltable, write_table

pytestmark = pytest.mark.filterwarnings("ignore:::mlflow", "ignore:::shap")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, classifier) -> Path:
    """A model without a signature, and its tables, as Azure's constructor takes them."""
    import mlflow.sklearn

    folder = tmp_path_factory.mktemp("given")
    mlflow.sklearn.save_model(
        classifier.estimator,
        folder / "model",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    columns = ["age", "hours", "job", "sex", "income"]
    write_mltable(people(600)[columns], folder / "train")
    write_table(people(400, seed=1)[columns], folder / "test")
    return folder


def constructed(given: Path, folder: Path, *more: str) -> Path:
    program.main(
        [
            *("constructor", "--title", "Who earns much", "--task_type", "classification"),
            *("--model_input", str(given / "model"), "--train_dataset", str(given / "train")),
            *("--test_dataset", str(given / "test"), "--target_column_name", "income"),
            *("--rai_insights_dashboard_output", str(folder), *more),
        ]
    )
    return folder


@pytest.fixture(scope="module")
def rai(given: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rai")
    return constructed(given, folder, "--classes", '["much", "little"]')


def tool(name: str, rai: Path, folder: Path, output: str, *more: str) -> Path:
    given = (name, "--rai_insights_dashboard", str(rai), f"--{output}_output", str(folder))
    program.main([*given, *more])
    return folder


@pytest.fixture(scope="module")
def explained(rai: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explanation")
    return tool("explanation", rai, folder, "explanation", "--comment", "for the board")


@pytest.fixture(scope="module")
def causes(rai: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("causal")
    return tool(
        *("causal", rai, folder, "causal", "--treatment_features", '["hours"]'),
        *("--heterogeneity_features", "[]", "--treatment_cost", "[0.01]", "--alpha", "0.1"),
        *("--skip_cat_limit_checks", "True", "--max_tree_depth", "1", "--random_state", "3"),
    )


@pytest.fixture(scope="module")
def changed(rai: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counterfactual")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "2")
        return tool(
            *("counterfactual", rai, folder, "counterfactual", "--total_CFs", "3"),
            *("--desired_class", "opposite", "--features_to_vary", '["hours", "job"]'),
            *("--permitted_range", '{"hours": [10, 60]}', "--method", "random"),
        )


@pytest.fixture(scope="module")
def erring(rai: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("errors")
    return tool(
        *("erroranalysis", rai, folder, "error_analysis", "--max_depth", "2"),
        *("--num_leaves", "4", "--min_child_samples", "15", "--filter_features", '["hours"]'),
    )


def test_the_constructor_brings_model_and_tables_together(given: Path, tmp_path: Path) -> None:
    folder = constructed(
        given,
        tmp_path / "rai",
        *("--maximum_rows_for_test_dataset", "50", "--categorical_column_names", '["job"]'),
        *("--classes", '["much", "little"]', "--use_model_dependency", "False"),
        *("--feature_metadata", '{"identity_feature_name": "age"}'),
    )
    subject = read_subject(folder)
    insights = subject.insights
    assert (insights.title, insights.task) == ("Who earns much", "classification")
    assert (len(subject.train), len(subject.test), insights.test_rows) == (600, 50, 400)
    # The model does not say its columns, so they are the table's.
    assert subject.model.features == {
        "age": "double",
        "hours": "double",
        "job": "string",
        "sex": "string",
    }
    assert insights.categorical == ["job"]
    assert insights.identity == ["age"]
    assert [subject.class_name(each) for each in ("high", "low")] == ["much", "little"]


def test_dropped_columns_are_not_the_models(given: Path, tmp_path: Path) -> None:
    table = people(100)
    table["note"] = "x"
    write_mltable(table, tmp_path / "train")
    metadata = '{"dropped_features": ["note"]}'
    folder = tmp_path / "rai"
    more = ("--train_dataset", str(tmp_path / "train"), "--test_dataset", str(tmp_path / "train"))
    constructed(given, folder, *more, "--feature_metadata", metadata)
    assert "note" not in read_subject(folder).model.features


@pytest.mark.parametrize("how", ["info", "path"])
@pytest.mark.slow
def test_a_registered_model_is_fetched(given: Path, tmp_path: Path, how: str, monkeypatch) -> None:
    from mlflow import MlflowClient

    address = f"sqlite:///{tmp_path / 'registry.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    client = MlflowClient(address)
    client.create_registered_model("people")
    client.create_model_version("people", source=(given / "model").as_uri())
    more = ("--model_info", "people:1")
    if how == "path":
        (tmp_path / "info").mkdir()
        (tmp_path / "info" / "model_info.json").write_text('{"id": "people:1"}')
        more = ("--model_info_path", str(tmp_path / "info"))
    program.main(
        [
            *("constructor", "--title", "T", "--task_type", "classification", *more),
            *("--train_dataset", str(given / "train"), "--target_column_name", "income"),
            *("--test_dataset", str(given / "test")),
            *("--rai_insights_dashboard_output", str(tmp_path / "rai")),
        ]
    )
    assert (tmp_path / "rai" / "model" / "MLmodel").is_file()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--model_info", "people:1"), "2 models are given"),
        (("--task_type", "forecasting"), "forecasts are not made here"),
        (("--classes", '["one"]'), "classes names 1"),
        (("--target_column_name", "wage"), "no target column 'wage'"),
        (("--maximum_rows_for_test_dataset", "0"), "maximum_rows_for_test_dataset is 0"),
        (("--feature_metadata", '{"colour": 1}'), "feature_metadata has colour"),
        (("--categorical_column_names", '["jobb"]'), "no column 'jobb'"),
    ],
)
def test_a_constructor_says_what_is_wrong(given: Path, tmp_path: Path, more, message) -> None:
    with pytest.raises(StepError, match=message):
        constructed(given, tmp_path / "rai", *more)
    assert not (tmp_path / "rai").exists()


def test_an_explanation_ranks_the_columns(explained: Path) -> None:
    details = read_json(explained / "insight.json")
    assert next(iter(details["importance"])) in ("hours", "job")
    assert list(details["importance"])[-1] == "sex"
    assert details["permutation"]["hours"] > details["permutation"]["sex"]
    assert "for the board" in read_findings(explained)["sections"][0]["words"]


def test_causal_effects_are_told_as_asked(causes: Path) -> None:
    details = read_json(causes / "insight.json")
    (effect,) = details["effects"]
    assert effect["treatment"] == "hours"
    # Of income = low: who works more is less likely poor.
    assert effect["high"] < 0
    assert len(effect["individual"]) == 400
    (figure,) = read_figures(causes).figures
    assert figure.level == pytest.approx(0.9)
    assert len(details["policies"][0]["rules"]) <= 3


def test_counterfactuals_are_told_for_as_many_rows_as_there_is_time(changed: Path) -> None:
    details = read_json(changed / "insight.json")
    assert 1 <= len(details["rows"]) < 400
    assert details["rows_left"] == 400 - len(details["rows"])
    assert {name for name, share in details["importance"].items() if share} <= {"hours", "job"}
    for row in details["rows"]:
        assert len(row["counterfactuals"]) <= 3
        assert {row["predicted"], row["wanted"]} == {"high", "low"}
        assert set(row["outcomes"]) <= {row["wanted"]}


def test_feature_importance_can_be_left_out(rai: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    folder = tool(
        *("counterfactual", rai, tmp_path, "counterfactual", "--total_CFs", "1"),
        *("--desired_class", "high", "--feature_importance", "False"),
    )
    details = read_json(folder / "insight.json")
    assert "importance" not in details
    assert {row["wanted"] for row in details["rows"]} == {"high"}


def test_error_analysis_is_of_the_size_that_is_asked(erring: Path) -> None:
    tree = read_json(erring / "errors.json")["tree"]
    assert sum(node["parent"] is None for node in tree) == 1
    assert len(tree) <= 7


@pytest.fixture(scope="module")
def gathered(
    rai, explained, causes, changed, erring, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("gathered")
    insights = (explained, causes, changed, erring)
    program.main(
        [
            *("gather", "--constructor", str(rai)),
            *(
                argument
                for number, each in enumerate(insights, 1)
                for argument in (f"--insight_{number}", str(each))
            ),
            *("--dashboard_output", str(folder / "dashboard")),
            *("--ux_json_output", str(folder / "ux")),
        ]
    )
    return folder


def test_what_the_tools_found_is_gathered(gathered: Path) -> None:
    page = (gathered / "dashboard" / "dashboard.html").read_text()
    for title in ("Who earns much", "What does it look at?", "Where does it err?"):
        assert title in page
    document = read_json(gathered / "ux" / "dashboard.json")
    tools = {"overview", "explanation", "causal", "counterfactual", "error_analysis"}
    assert set(document["tools"]) == tools
    assert document["tools"]["causal"]["details"]["effects"]
    rows = document["tools"]["overview"]["sections"][0]["blocks"][0]["rows"]
    assert dict(rows)["accuracy_score"] > 0.8


def test_an_insight_of_another_model_is_refused(rai, explained, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in explained.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    figures = read_json(other / "figures.json")
    (other / "figures.json").write_text(json.dumps({**figures, "model_digest": "0"}))
    outputs = ("--dashboard_output", str(tmp_path / "d"), "--ux_json_output", str(tmp_path / "u"))
    with pytest.raises(StepError, match="another model"):
        program.main(["gather", "--constructor", str(rai), "--insight_1", str(other), *outputs])


CONFIG = {
    "Model": {"ModelName": "People", "ModelSummary": "Tells who earns much."},
    "Metrics": {"accuracy_score": {"threshold": ">=0.7"}, "recall_score": {"threshold": ">1"}},
    "FeatureImportance": {"top_n": 2},
    "DataExplorer": {"features": ["age"]},
    "Fairness": {
        "metric": ["accuracy_score"],
        "sensitive_features": ["sex"],
        "fairness_evaluation_kind": "ratio",
    },
}


def card(gathered: Path, folder: Path, config: object, *more: str) -> Path:
    (folder / "pdf_gen.json").write_text(json.dumps(config))
    program.main(
        [
            *("scorecard", "--dashboard", str(gathered / "dashboard")),
            *("--pdf_generation_config", str(folder / "pdf_gen.json")),
            *("--scorecard_output", str(folder / "card"), *more),
        ]
    )
    return folder / "card"


def test_a_scorecard_says_which_targets_are_met(gathered, tmp_path: Path, capsys) -> None:
    cohorts = [
        {
            "name": "old farmers",
            "cohort_filter_list": [
                {"method": "greater", "arg": [50], "column": "age"},
                {"method": "includes", "arg": ["farm"], "column": "job"},
            ],
        }
    ]
    (tmp_path / "cohorts.json").write_text(json.dumps(cohorts))
    more = ("--predefined_cohorts_json", str(tmp_path / "cohorts.json"))
    folder = card(gathered, tmp_path, CONFIG, *more)
    assert "1 of 2 targets met; missed: recall_score" in capsys.readouterr().out
    assert (folder / "scorecard.pdf").read_bytes().startswith(b"%PDF")
    page = (folder / "scorecard.html").read_text()
    for said in ("Tells who earns much.", "old farmers", "the least is", "By sex", "By age"):
        assert said in page
    table = people(400, seed=1)
    rows = int(((table["age"] > 50) & (table["job"] == "farm")).sum())
    assert f">{rows}<" in page


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Colour": {}}, "has Colour"),
        ({"Metrics": {"r2_score": {}}}, "no metric 'r2_score' of classification"),
        ({"Metrics": {"accuracy_score": {"threshold": "much"}}}, "the threshold 'much'"),
        ({"DataExplorer": {"features": ["wage"]}}, "no column of the scorecard 'wage'"),
        ([1], "not an object of objects"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_said(gathered, tmp_path, config, message) -> None:
    with pytest.raises(StepError, match=message):
        card(gathered, tmp_path, config)


def test_missing_packages_are_named_with_what_to_install() -> None:
    with pytest.raises(StepError, match=r"not installed: no_such_package") as caught:
        program.require(("json", "no_such_package"))
    assert 'pip install "amlocal[responsible]"' in caught.value.hint


@pytest.mark.parametrize(
    "arguments",
    [
        ["causal", "--treatment_features", "hours"],
        ["causal", "--treatment_features", '{"a": 1}'],
        ["causal", "--treatment_features", '["a"]', "--treatment_cost", '"much"'],
        ["counterfactual", "--permitted_range", "[1]"],
    ],
)
def test_arguments_that_are_no_json_are_refused(arguments, capsys) -> None:
    outputs = {"causal": "--causal_output", "counterfactual": "--counterfactual_output"}
    with pytest.raises(SystemExit):
        program.main([*arguments, "--rai_insights_dashboard", "x", outputs[arguments[0]], "y"])
    assert "is not" in capsys.readouterr().err


def test_costs_are_one_for_each_treatment(rai: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="has 2 costs of 1 treatments"):
        tool(
            *("causal", rai, tmp_path, "causal", "--treatment_features", '["hours"]'),
            *("--treatment_cost", "[1, 2]"),
        )


def test_rows_are_grouped_by_value_or_by_quarter() -> None:
    from raikit.insights.overview import groups_of

    assert set(groups_of(pd.Series(range(100)))) == {
        *("-0.001 to 24.75", "24.75 to 49.5", "49.5 to 74.25", "74.25 to 99"),
    }
    assert list(groups_of(pd.Series(["a", None, "a"]))) == ["a", "(missing)", "a"]

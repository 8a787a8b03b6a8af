"""Public jobs that nobody of this project wrote: each ends as a correct run of it must.

Needs a checkout of Azure/azureml-examples, named by AZUREML_EXAMPLES; nothing of it is kept here.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.e2e.driver import Aml

# The first job that needs an environment builds it, which can take minutes.
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

STEPS = "pipelines-with-components"


@dataclass(frozen=True)
class Case:
    """A job file, and what its run must leave.

    Attributes:
        file: The job file, relative to `cli/jobs`.
        says: Lines that the log must hold, by step; an empty string is the job itself.
        files: The text of each file that must be there, or a pattern that it must match, by
            `OUTPUT/FILE` of the job (`artifacts/...` for its artifacts) or `STEP:OUTPUT/FILE`.
    """

    file: str
    says: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, str | re.Pattern[str]] = field(default_factory=dict)


#: A date and time to the second, as some steps name their files.
STAMP = r"[A-Z][a-z]{2}-\d{2}-\d{4}-\d{2}-\d{2}-\d{2}"
ANYTHING = re.compile(r"(?s).+")

CASES = [
    Case("basics/hello-world.yml", says={"": ["hello world"]}),
    Case("basics/hello-world-input.yml", says={"": ["hello world", "42"]}),
    Case("basics/hello-world-env-var.yml", says={"": ["hello world"]}),
    Case(
        "basics/hello-world-output.yml",
        files={"artifacts/outputs/helloworld.txt": "hello world\n"},
    ),
    Case(
        "basics/hello-world-output-data.yml",
        files={"hello_output/helloworld.txt": "hello world\n"},
    ),
    Case(
        "basics/hello-pipeline-abc.yml",
        says={"a": ["hello hello world"]},
        files={"b:world_output/world.txt": "world\n"},
    ),
    Case("basics/hello-pipeline-default-artifacts.yml", says={"world_job": ["world"]}),
    Case("basics/hello-pipeline-customize-output-file.yml", files={"output": "world\n"}),
    Case(
        f"{STEPS}/basics/1a_e2e_local_components/pipeline.yml",
        files={
            "pipeline_job_trained_model/model.txt": re.compile("This is a dummy model.*"),
            "pipeline_job_evaluation_report/eval_result.txt": ANYTHING,
            "score_job:score_output/score.txt": re.compile("(?s).*This is a dummy model.*"),
        },
    ),
    Case(
        f"{STEPS}/basics/4c_web_url_input/pipeline.yml",
        says={"hello_python_world_job": ["name,survived", "A passenger,1"]},
    ),
]


def run(aml: Aml, examples: Path, file: str, *arguments: str) -> dict[str, Any]:
    job = aml.job(str(examples / file), *arguments)
    assert job["status"] == "Completed"
    return job


def child(job: dict[str, Any], step: str) -> dict[str, Any]:
    if not step:
        return job
    (found,) = [child for child in job["children"] if child["step"] == step]
    return found


def log_of(job: dict[str, Any], step: str = "") -> list[str]:
    return Path(child(job, step)["log"]).read_text().splitlines()


def place_of(job: dict[str, Any], name: str) -> Path:
    """Return where `STEP:OUTPUT/FILE`, or `artifacts/FILE`, of a job is."""
    step, _, path = name.rpartition(":")
    output, _, file = path.partition("/")
    owner = child(job, step)
    if output == "artifacts":
        return Path(owner["log"]).parents[1] / file
    return Path(owner["outputs"][output]["path"]) / file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_a_job_ends_as_it_must(aml: Aml, examples: Path, case: Case) -> None:
    job = run(aml, examples, case.file)
    for step, lines in case.says.items():
        assert [line for line in log_of(job, step) if line in lines] == list(lines)
    for name, expected in case.files.items():
        text = place_of(job, name).read_text()
        if isinstance(expected, str):
            assert text == expected
        else:
            assert expected.fullmatch(text.strip())


def test_a_file_output_goes_where_the_pipeline_says(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "basics/hello-pipeline-customize-output-file.yml")
    output = job["outputs"]["output"]
    assert output["type"] == "uri_file"
    place = Path(output["path"])
    assert place.name == "hello_world.txt"
    assert place.stat().st_size == 6
    assert place.parents[1] == aml.home / "datastores" / "workspaceblobstore"


def test_a_chain_passes_one_dated_file_on(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, f"{STEPS}/basics/3b_pipeline_with_data/pipeline.yml")
    (file,) = Path(job["outputs"]["final_pipeline_output"]["path"]).iterdir()
    assert re.fullmatch(rf"file-{STAMP}\.txt", file.name)
    assert file.stat().st_size == 40


def test_a_script_logs_to_its_own_run(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "basics/hello-mlflow.yml")
    mlflow = f"{job['tracking']['uri']}/api/2.0/mlflow"
    run_id = job["tracking"]["run_id"]
    data = _get(f"{mlflow}/runs/get?run_id={run_id}")["run"]["data"]
    assert {"key": "hello_param", "value": "world"} in data["params"]
    (metric,) = data["metrics"]
    assert metric["key"] == "hello_metric"
    assert 0 <= metric["value"] < 1
    files = _get(f"{mlflow}/artifacts/list?run_id={run_id}")["files"]
    assert "helloworld.txt" in [file["path"] for file in files]
    assert (job["params"], set(job["metrics"])) == ({"hello_param": "world"}, {"hello_metric"})


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("name", ["hello-iris-folder", "hello-iris-file"])
def test_a_table_comes_through_a_mirror(aml: Aml, examples: Path, name: str) -> None:
    job = run(aml, examples, f"basics/{name}.yml")
    _check_iris(aml, job)


def test_a_literal_address_reaches_the_script_as_it_is(aml: Aml, examples: Path) -> None:
    file = examples / "basics/hello-iris-literal.yml"
    job = json.loads(aml.run("job", "validate", "-f", str(file), "-o", "json").stdout)
    assert job["errors"] == []
    place = (aml.project / "data/iris.csv").as_uri()
    job = run(aml, examples, "basics/hello-iris-literal.yml", "--set", f"inputs.iris_csv={place}")
    assert log_of(job)[0] == f"--iris-csv: {place}"
    assert job["inputs"]["type"]["value"] == "uri_file"
    _check_iris(aml, job)


def _check_iris(aml: Aml, job: dict[str, Any]) -> None:
    written = pd.read_csv(place_of(job, "artifacts/outputs/iris.csv"))
    assert written.shape == (150, 5)
    pd.testing.assert_frame_equal(written, pd.read_csv(aml.project / "data/iris.csv"))


def test_autolog_gives_the_known_fit(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "single-step/scikit-learn/diabetes/job.yml")
    assert round(job["metrics"]["training_r2_score"], 4) == 0.5279
    assert round(job["metrics"]["training_mean_squared_error"], 2) == 2868.55


def test_a_model_is_an_output(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "basics/hello-model-as-output.yml")
    output = job["outputs"]["output_folder"]
    assert output["type"] == "custom_model"
    model = {path.name for path in (Path(output["path"]) / "my_model").iterdir()}
    assert model >= {"MLmodel", "model.pkl", "conda.yaml", "python_env.yaml", "requirements.txt"}


def test_taxi_fares_are_fitted_by_components(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, f"{STEPS}/nyc_taxi_data_regression/pipeline.yml")
    model = job["outputs"]["pipeline_job_trained_model"]
    assert model["type"] == "mlflow_model"
    assert {"MLmodel", "model.pkl"} <= {path.name for path in Path(model["path"]).iterdir()}
    assert _scores(place_of(job, "pipeline_job_score_report/score.txt")) == ["11.78", "0.87"]


def test_taxi_fares_are_fitted_by_inline_steps(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, "pipelines/nyc-taxi/pipeline.yml")
    assert _scores(place_of(job, "score_job:score_report/score.txt")) == ["12.05", "0.86"]
    predictions = pd.read_csv(place_of(job, "predict_job:predictions/predictions.csv"))
    assert predictions["predicted_cost"].notna().all()


def _scores(report: Path) -> list[str]:
    """Return the mean squared error and the coefficient of determination as they are printed."""
    return re.findall(
        r"^(?:Mean squared error|Coefficient of determination): (\S+)",
        report.read_text(),
        re.MULTILINE,
    )


def test_a_conda_file_is_built(aml: Aml, examples: Path) -> None:
    job = run(aml, examples, f"{STEPS}/basics/5c_env_conda_file/pipeline.yml")
    environment = child(job, "hello_python_world_job")["tracking"]["environment"]
    assert environment["kind"] == "isolated"
    lines = [line for line in log_of(job, "hello_python_world_job") if line]
    before = next(n for n, line in enumerate(lines) if line.endswith("Today's joke:"))
    assert len(lines[before + 1]) > 10
    assert lines[before + 2] == "How was it??"


def test_addresses_of_a_datastore_are_folders_of_it(aml: Aml, examples: Path) -> None:
    store = aml.home / "datastores/workspaceblobstore/azureml/4b_datastore_datapath_uri"
    store.mkdir(parents=True)
    (store / "hello-world.txt").write_text("before\n")
    job = run(aml, examples, f"{STEPS}/basics/4b_datastore_datapath_uri/pipeline.yml")
    # The first step writes its output into the folder that it reads; the second reads that file.
    assert Path(job["outputs"]["pipeline_sample_output_data"]["path"]) == store
    assert (store / "hello-world.txt").read_text() == "hello world\n"
    assert "hello world" in log_of(job, "component_file")


def test_a_registered_folder_is_an_input(aml: Aml, examples: Path) -> None:
    folder = examples.parent / "assets/data/local-folder.yml"
    aml.run("data", "create", "-f", str(folder), "-n", "local-folder-example")
    job = run(aml, examples, f"{STEPS}/basics/4d_data_input/pipeline.yml")
    for step in ("python_hello_step", "python_world_step"):
        assert "['titanic.csv']" in log_of(job, step)


def test_registered_components_are_steps(aml: Aml, examples: Path) -> None:
    folder = examples / STEPS / "basics/1b_e2e_registered_components"
    for name in ("train", "score", "eval"):
        aml.run("component", "create", "-f", str(folder / f"{name}.yml"))
    job = run(aml, examples, f"{STEPS}/basics/1b_e2e_registered_components/pipeline.yml")
    assert [step["status"] for step in job["children"]] == ["Completed"] * 3


REFUSED = {
    f"{STEPS}/pipeline_with_pipeline_component/pipeline_with_train_eval_pipeline_component/"
    "pipeline.yml": "a pipeline component as a step",
    "parallel/1a_oj_sales_prediction/pipeline.yml": "a parallel step",
}


@pytest.mark.parametrize(("file", "what"), REFUSED.items())
def test_what_does_not_run_yet_is_said_in_a_sentence(
    aml: Aml, examples: Path, file: str, what: str
) -> None:
    done = aml.run("job", "create", "-f", str(examples / file), "--stream", code=2)
    assert done.stdout == ""
    pattern = rf"{re.escape(str(examples / file))}:\d+: {what} does not run here( yet)?; .+"
    for line in done.stderr.splitlines():
        assert re.fullmatch(pattern, line, re.IGNORECASE)
    assert done.stderr

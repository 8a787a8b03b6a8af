"""Batch endpoints of a workspace: records, what is invoked, and the jobs that come of it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.lab import Lab, children, pipeline, step, wait_for

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.endpoints.batch import BatchDeployments, BatchEndpoints
from amlocal.plan import (
    BatchDeployment,
    BatchEndpoint,
    BatchSettings,
    Input,
    JobInfo,
    JobStatus,
    LiteralValue,
    ModelSource,
    Output,
    OutputSource,
    ParentInput,
)

SCRIPT = """
    import os
    from pathlib import Path

    def init():
        global WORD
        (model,) = Path(os.environ["AZUREML_MODEL_DIR"]).iterdir()
        WORD = f"{model.name}={model.read_text()}"

    def run(mini_batch):
        for file in mini_batch:
            Path(os.environ["AZUREML_BI_OUTPUT_PATH"], "seen-" + Path(file).name).touch()
        return [f"{Path(file).name} {WORD} {os.environ.get('LEVEL', '')}" for file in mini_batch]
"""


@dataclass
class Batch:
    """A lab with an endpoint `scores`, and files to score."""

    lab: Lab

    @property
    def endpoints(self) -> BatchEndpoints:
        return self.lab.client.batch_endpoints

    @property
    def deployments(self) -> BatchDeployments:
        return self.lab.client.batch_deployments

    def plan(self, name: str = "blue", **fields: Any) -> BatchDeployment:
        code = self.lab.write("code/score.py", textwrap.dedent(SCRIPT)).parent
        model = self.lab.write("model.txt", "m")
        given: dict[str, Any] = {
            "name": name,
            "endpoint_name": "scores",
            "code": str(code),
            "scoring_script": "score.py",
            "model": ModelSource(path=str(model)),
            **fields,
        }
        return BatchDeployment(**given)

    def deploy(self, name: str = "blue", **fields: Any) -> None:
        self.deployments.begin_create_or_update(self.plan(name, **fields)).result()

    def data(self, count: int = 3) -> str:
        for number in range(count):
            self.lab.write(f"data/{number}.txt", str(number))
        return str(self.lab.project / "data")

    def invoke(self, **options: Any) -> JobInfo:
        """Invoke the endpoint, and wait until its job is over."""
        inputs = options.pop("inputs", None) or {"input": self.data()}
        name = self.endpoints.invoke("scores", inputs=inputs, **options).name
        jobs = self.lab.client.jobs
        wait_for(lambda: jobs.get(name).status.is_terminal, seconds=90)
        return jobs.get(name)


@pytest.fixture
def batch(lab: Lab) -> Batch:
    """A workspace with an endpoint that has no deployment yet."""
    found = Batch(lab)
    found.endpoints.begin_create_or_update(BatchEndpoint(name="scores", tags={"a": "b"})).result()
    return found


def rows(job: JobInfo, name: str = "predictions.csv") -> list[str]:
    assert job.status is JobStatus.COMPLETED, job.error
    return (Path(job.outputs["score"].path) / name).read_text().splitlines()


def test_an_invocation_is_a_job_that_scores_files(batch: Batch) -> None:
    batch.deploy()
    job = batch.invoke()
    assert rows(job) == [f"{n}.txt model.txt=m " for n in range(3)]
    assert job.type == "pipeline"
    assert job.experiment_name == "scores"
    assert children(job)["batchscoring"].type == "parallel"
    seen = sorted(file.name for file in Path(job.outputs["score"].path).glob("seen-*"))
    assert seen == ["seen-0.txt", "seen-1.txt", "seen-2.txt"]
    assert [info.name for info in batch.endpoints.list_jobs("scores")] == [job.name]
    assert [info.name for info in batch.deployments.list_jobs("blue", "scores")] == [job.name]
    # As in Azure, each invocation scores anew.
    assert children(batch.invoke())["batchscoring"].reused_from is None


def test_settings_may_be_given_at_an_invocation(batch: Batch) -> None:
    batch.deploy(settings=BatchSettings(environment_variables={"LEVEL": "1"}))
    job = batch.invoke(
        overrides=[
            "settings.output_file_name=out.txt",
            "mini_batch_size=2",
            "environment_variables.LEVEL=2",
            "compute.instance_count=2",
        ],
        experiment_name="mine",
        job_name="first",
        output_path=str(batch.lab.project / "there"),
    )
    assert rows(job, "out.txt") == [f"{n}.txt model.txt=m 2" for n in range(3)]
    assert (job.name, job.experiment_name) == ("first", "mine")
    assert (batch.lab.project / "there" / "out.txt").exists()
    log = batch.lab.log(children(job)["batchscoring"])
    assert "2 mini-batches of 3 items; workers: 2" in log


def test_without_rows_to_append_there_is_no_file_of_them(batch: Batch) -> None:
    batch.deploy(settings=BatchSettings(output_action="summary_only"))
    job = batch.invoke()
    written = {file.name for file in Path(job.outputs["score"].path).iterdir()}
    assert written == {f"seen-{n}.txt" for n in range(3)}


def test_a_deployment_keeps_what_it_was_made_of(batch: Batch) -> None:
    batch.deploy()
    batch.lab.write("code/score.py", "broken(")
    batch.lab.write("model.txt", "other")
    assert rows(batch.invoke())[0] == "0.txt model.txt=m "


def test_the_settings_of_a_deployment_can_be_changed_alone(batch: Batch) -> None:
    batch.deploy(description="first", tags={"x": "1"})
    batch.deployments.begin_create_or_update(
        None,
        overrides=["settings.output_file_name=o.csv", "tags.y=2", "description=second"],
        name="blue",
        endpoint_name="scores",
    ).result()
    info = batch.deployments.get("blue", "scores")
    assert (info.description, info.tags) == ("second", {"x": "1", "y": "2"})
    assert len(rows(batch.invoke(), "o.csv")) == 3
    versions = batch.lab.workspace / "batch" / "versions"
    assert len(list(versions.iterdir())) == 1


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("mini_batch_sise=3", "did you mean 'mini_batch_size'?"),
        ("mini_batch_size=few", "mini_batch_size cannot be 'few'"),
        ("mini_batch_size=0", "give 1 or more"),
        ("error_threshold=-2", "give -1 or more"),
        ("output_action=print", "no output_action 'print'"),
        ("logging_level=loud", "no logging_level 'LOUD'"),
        ("retry_settings.timeout=0", "give 1 or more"),
        ("retry_settings.timeout=nan", "retry_settings.timeout cannot be nan"),
        ("output_file_name=../rows.csv", "'../rows.csv' cannot be the name of a file"),
        ("output_file_name=", "give a name without a folder"),
        ("alone", "'alone' is no setting"),
    ],
)
def test_a_wrong_setting_is_told(batch: Batch, override: str, said: str) -> None:
    batch.deploy()
    with pytest.raises(UsageError) as error:
        batch.endpoints.invoke("scores", inputs={"input": "x"}, overrides=[override])
    assert said in f"{error.value}; {error.value.hint}"


def test_the_default_deployment_is_invoked(batch: Batch) -> None:
    with pytest.raises(NotFoundError, match="has no default deployment") as error:
        batch.endpoints.invoke("scores", inputs={"input": "x"})
    assert "aml batch-deployment create" in error.value.hint
    batch.deploy("blue")
    batch.deploy("green", settings=BatchSettings(output_file_name="green.csv"))
    with pytest.raises(NotFoundError, match="no default") as error:
        batch.endpoints.invoke("scores", inputs={"input": "x"})
    assert "blue, green" in error.value.hint
    with pytest.raises(UsageError, match="no deployment 'red'"):
        batch.endpoints.begin_create_or_update(
            BatchEndpoint(name="scores", default_deployment="red")
        )
    batch.endpoints.begin_create_or_update(
        BatchEndpoint(name="scores", default_deployment="green", description="now")
    )
    info = batch.endpoints.get("scores")
    assert (info.default_deployment, info.deployments) == ("green", ("blue", "green"))
    # What was not said stayed as it was.
    assert (info.tags, info.description) == ({"a": "b"}, "now")
    assert len(rows(batch.invoke(), "green.csv")) == 3
    batch.deployments.begin_delete("green", "scores").result()
    assert batch.endpoints.get("scores").default_deployment == ""


def test_endpoints_are_listed_and_deleted(batch: Batch) -> None:
    batch.deploy()
    batch.endpoints.begin_create_or_update(BatchEndpoint(name="another")).result()
    assert [info.name for info in batch.endpoints.list()] == ["another", "scores"]
    assert [info.name for info in batch.deployments.list("scores")] == ["blue"]
    batch.endpoints.begin_delete("scores").result()
    assert [info.name for info in batch.endpoints.list()] == ["another"]
    with pytest.raises(NotFoundError):
        batch.deployments.get("blue", "scores")
    assert list((batch.lab.workspace / "batch" / "versions").iterdir()) == []
    freed = batch.lab.client.workspace.collect_garbage()
    assert freed > 0
    assert list((batch.lab.workspace / "batch" / "code").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"endpoint_name": "scors"}, NotFoundError, "no batch endpoint named 'scors'"),
        ({"model": None}, UsageError, "neither a model nor a component"),
        ({"scoring_script": None}, UsageError, "is no MLflow model"),
        ({"scoring_script": "other.py"}, UsageError, "no scoring script other.py"),
    ],
)
def test_a_deployment_that_cannot_score_is_refused(
    batch: Batch, fields: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        batch.deploy(**fields)
    assert batch.deployments.list("scores") == []


@pytest.mark.parametrize("inputs", [{}, {"a": "x", "b": "y"}])
def test_a_model_scores_one_input(batch: Batch, inputs: dict[str, str]) -> None:
    batch.deploy()
    with pytest.raises(UsageError, match="scores one input"):
        batch.endpoints.invoke("scores", inputs=inputs)


def test_data_that_is_not_there_is_told_before_a_job_is_made(batch: Batch) -> None:
    batch.deploy()
    (batch.lab.project / "rows").mkdir()
    with pytest.raises(UsageError, match="there is no data at") as error:
        batch.endpoints.invoke("scores", inputs={"input": str(batch.lab.project / "row")})
    assert error.value.hint == "did you mean 'rows'?"
    assert batch.endpoints.list_jobs("scores") == []


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        (["outputs.score.path={}"], "predictions.csv"),
        (["outputs.score.path={}/mine.csv", "outputs.score.type=uri_file"], "mine.csv"),
    ],
)
def test_settings_say_where_data_is_and_goes(batch: Batch, settings: list[str], file: str) -> None:
    batch.deploy()
    data = batch.lab.write("rows/a.csv", "1").parent
    place = batch.lab.project / "elsewhere"
    overrides = [f"inputs.rows.path={data}", "inputs.rows.type=uri_folder", *settings]
    job = batch.endpoints.invoke(
        "scores", overrides=[override.format(place) for override in overrides]
    )
    batch.lab.client.jobs.stream(job.name)
    assert (place / file).is_file()


def test_objects_say_where_data_is_and_goes(batch: Batch) -> None:
    batch.deploy()
    data, place = batch.lab.write("rows/a.csv", "1").parent, batch.lab.project / "elsewhere"
    job = batch.endpoints.invoke(
        "scores",
        inputs={"rows": SimpleNamespace(type="uri_folder", path=str(data))},
        outputs={"score": SimpleNamespace(type="uri_folder", path=str(place))},
    )
    batch.lab.client.jobs.stream(job.name)
    assert (place / "predictions.csv").is_file()


def test_an_output_that_there_is_not(batch: Batch) -> None:
    batch.deploy()
    data = batch.lab.write("rows/a.csv", "1").parent
    with pytest.raises(UsageError, match="no output 'scores'") as error:
        batch.endpoints.invoke(
            "scores", inputs={"input": str(data)}, overrides=["outputs.scores.path=/x"]
        )
    assert error.value.hint == "did you mean 'score'?"


def test_variables_are_for_their_owner_alone(batch: Batch) -> None:
    batch.deploy(settings=BatchSettings(environment_variables={"SECRET": "hidden-word"}))
    (version,) = (batch.lab.workspace / "batch" / "versions").iterdir()
    assert version.stat().st_mode & 0o777 == 0o600
    batch.invoke()
    assert b"hidden-word" not in (batch.lab.workspace / "records.db").read_bytes()


def greeting(lab: Lab) -> BatchDeployment:
    """Return a deployment of a pipeline with three inputs and one output."""
    code = lab.write("steps/greet.py", "print('hello from the code')").parent
    greet = step(
        "greet",
        "python greet.py; echo ${{inputs.word}} ${{inputs.times}} > ${{outputs.text}}/text; "
        "cat ${{inputs.data}}/0.txt",
        code=code,
        inputs={name: ParentInput(name=name) for name in ("word", "times", "data")},
        declared={
            "word": Input(type="string"),
            "times": Input(type="integer"),
            "data": Input(type="uri_folder"),
        },
        outputs={"text": Output()},
    )
    job = pipeline(
        greet,
        outputs={"text": Output()},
        output_sources={"text": OutputSource(step="greet", output="text")},
        inputs={"times": LiteralValue(value=2)},
    )
    declared = {
        "word": Input(type="string", default="hi"),
        "times": Input(type="integer"),
        "data": Input(type="uri_folder"),
        "mode": Input(type="string", optional=True, enum=("a", "b")),
    }
    return BatchDeployment(
        name="greeting", endpoint_name="scores", pipeline=job, pipeline_inputs=declared
    )


def test_a_pipeline_runs_with_its_inputs(batch: Batch) -> None:
    batch.deployments.begin_create_or_update(greeting(batch.lab)).result()
    assert batch.deployments.get("greeting", "scores").type == "pipeline"
    batch.lab.write("steps/greet.py", "broken(")
    place = batch.lab.project / "place"
    job = batch.invoke(inputs={"data": batch.data(), "word": "bye"}, output_path=str(place))
    assert job.status is JobStatus.COMPLETED, job.error
    assert (place / "text").read_text() == "bye 2\n"
    assert "hello from the code" in batch.lab.log(children(job)["greet"])
    assert [info.name for info in batch.endpoints.list_jobs("scores")] == [job.name]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "needs the input data"),
        ({"data": "nowhere"}, "there is no data at"),
        ({"data": ".", "wort": "y"}, "has no input 'wort'; did you mean 'word'?"),
        ({"data": ".", "times": "two"}, "'times' takes an integer, not 'two'"),
        ({"data": ".", "mode": "c"}, "'mode' cannot be 'c'"),
    ],
)
def test_inputs_of_a_pipeline_are_checked(batch: Batch, inputs: dict[str, str], said: str) -> None:
    batch.deployments.begin_create_or_update(greeting(batch.lab)).result()
    with pytest.raises(UsageError) as error:
        batch.endpoints.invoke("scores", inputs=inputs)
    assert said in f"{error.value}; {error.value.hint}"


def test_a_registered_model_is_settled_when_it_is_deployed(batch: Batch) -> None:
    first = batch.lab.write("named/word.txt", "one")
    batch.lab.client.models.create_or_update(None, name="word", path=str(first))
    batch.deploy(model=ModelSource(reference="azureml:word@latest"))
    assert batch.deployments.get("blue", "scores").model == "word:1"
    batch.lab.client.models.create_or_update(
        None, name="word", path=str(batch.lab.write("named/word.txt", "two"))
    )
    assert rows(batch.invoke())[0] == "0.txt word.txt=one "
    with pytest.raises(NotFoundError):
        batch.deploy(model=ModelSource(reference="azureml:wort:1"))


def test_a_file_may_be_scored(batch: Batch) -> None:
    batch.deploy()
    file = batch.lab.write("one.txt", "1")
    job = batch.invoke(inputs={"input": str(file)})
    assert rows(job) == ["one.txt model.txt=m "]
    assert job.inputs["data"].type == "uri_file"


def test_values_stay_equal_when_they_are_read_back(batch: Batch) -> None:
    plan = greeting(batch.lab)
    assert BatchDeployment.from_json(plan.to_json()) == plan
    assert msgspec.structs.replace(plan, pipeline=None) != plan

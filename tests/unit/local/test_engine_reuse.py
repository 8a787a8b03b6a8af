"""When a step takes over an earlier result, and what is said of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.lab import Lab, children, pipeline, step

from amlocal.plan import (
    DataValue,
    Job,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    Settings,
    Step,
    StepOutput,
    StepReuse,
)


@pytest.fixture
def code(lab: Lab) -> Path:
    return lab.write("src/train.sh", 'cat "$1"; echo $2; echo $2 > $3/model\n').parent


@pytest.fixture
def data(lab: Lab) -> Path:
    return lab.write("data.txt", "rows\n")


@pytest.fixture
def train(code: Path, data: Path) -> Step:
    return step(
        "train",
        "sh train.sh ${{inputs.data}} ${{inputs.rate}} ${{outputs.model}}; echo o > outputs/o",
        inputs={
            "data": DataValue(path=str(data), type="uri_file"),
            "rate": LiteralValue(value=0.1),
        },
        outputs={"model": Output()},
        code=code,
        variables={"TOKEN": "hunter2"},
    )


@pytest.fixture
def score() -> Step:
    return step(
        "score",
        "cat ${{inputs.model}}/model",
        inputs={"model": StepOutput(step="train", output="model")},
    )


def completed(job: JobInfo) -> JobInfo:
    assert job.status is JobStatus.COMPLETED, job.error
    return job


def run(lab: Lab, *steps: Step, **job: Any) -> JobInfo:
    return completed(lab.run(pipeline(*steps, **job)))


def reused(job: JobInfo) -> dict[str, str | None]:
    return {name: child.reused_from for name, child in children(job).items()}


def explained(lab: Lab, job: JobInfo) -> dict[str, StepReuse]:
    return {reuse.step: reuse for reuse in lab.client.jobs.explain_reuse(job.name)}


def changed(step: Step, **fields: Any) -> Step:
    return msgspec.structs.replace(step, **fields)


def test_the_same_again_is_reused(lab: Lab, train: Step, score: Step) -> None:
    first = run(lab, train, score)
    assert reused(first) == {"train": None, "score": None}
    assert explained(lab, first)["train"].reason == "it has not run before"
    again = run(lab, train, score)
    assert reused(again) == {"train": f"{first.name}_train", "score": f"{first.name}_score"}
    assert children(again)["train"].outputs == children(first)["train"].outputs
    assert lab.log(children(again)["train"]) == "rows\n0.1\n"
    told = explained(lab, again)["train"]
    assert told.reused_from == f"{first.name}_train"
    assert told.reason == f"its facts equal those of {first.name}_train"


def test_a_reused_step_tells_where_its_result_began(lab: Lab, train: Step) -> None:
    first = run(lab, train)
    run(lab, train)
    assert reused(run(lab, train)) == {"train": f"{first.name}_train"}


def test_another_job_of_the_same_step_reuses_it(lab: Lab, train: Step, score: Step) -> None:
    first = run(lab, train)
    assert reused(run(lab, train, score, source="other.yml"))["train"] == f"{first.name}_train"


def assert_only(lab: Lab, job: JobInfo, fact: str) -> None:
    """Require that the step ran again, for one reason."""
    told = explained(lab, job)["train"]
    assert told.reused_from is None
    assert [line.partition(": ")[0] for line in told.changed] == [fact]
    assert told.reason.startswith("1 fact(s) changed since ")


def test_a_changed_literal(lab: Lab, train: Step, score: Step) -> None:
    run(lab, train, score)
    other = changed(train, inputs={**train.inputs, "rate": LiteralValue(value=0.2)})
    job = run(lab, other, score)
    assert_only(lab, job, "inputs.rate.value")
    assert explained(lab, job)["train"].changed == ("inputs.rate.value: 0.1 -> 0.2",)
    assert [line.partition(": ")[0] for line in explained(lab, job)["score"].changed] == [
        "inputs.model.content"
    ]


def test_a_change_without_effect_stops_there(
    lab: Lab, train: Step, score: Step, code: Path
) -> None:
    first = run(lab, train, score)
    with (code / "train.sh").open("a") as script:
        script.write("# a comment\n")
    job = run(lab, train, score)
    assert_only(lab, job, "code train.sh")
    assert reused(job)["score"] == f"{first.name}_score"


def test_changed_data(lab: Lab, train: Step, data: Path) -> None:
    run(lab, train)
    data.write_text("ROWS\n")
    job = run(lab, train)
    assert_only(lab, job, "inputs.data.content")
    assert lab.log(children(job)["train"]).startswith("ROWS")
    data.write_text("rows\n")
    assert reused(run(lab, train))["train"] is not None


def test_data_that_moved_with_its_content(lab: Lab, train: Step, data: Path) -> None:
    first = run(lab, train)
    moved = data.rename(data.with_name("moved.txt"))
    binding = DataValue(path=str(moved), type="uri_file")
    job = run(lab, changed(train, inputs={**train.inputs, "data": binding}))
    assert reused(job) == {"train": f"{first.name}_train"}


def test_a_changed_environment_variable(lab: Lab, train: Step) -> None:
    run(lab, train)
    job = run(lab, changed(train, environment_variables={"TOKEN": "hunter3"}))
    assert_only(lab, job, "environment_variables.TOKEN")
    assert "hunter" not in repr(explained(lab, job))


def test_a_changed_output_setting(lab: Lab, train: Step) -> None:
    run(lab, train)
    job = run(lab, changed(train, outputs={"model": Output(mode="upload")}))
    assert_only(lab, job, "outputs.model.mode")


def test_a_step_that_is_not_deterministic_runs_again(lab: Lab, train: Step) -> None:
    component = msgspec.structs.replace(train.component, is_deterministic=False)
    random = changed(train, component=component)
    run(lab, random)
    job = run(lab, random)
    assert reused(job) == {"train": None}
    assert explained(lab, job)["train"].reason == "its component says is_deterministic: false"


def test_a_forced_run_is_not_offered_later(lab: Lab, train: Step) -> None:
    first = run(lab, train)
    forced = run(lab, train, settings=Settings(force_rerun=True))
    assert reused(forced) == {"train": None}
    assert explained(lab, forced)["train"].reason == "settings.force_rerun is true"
    assert reused(run(lab, train)) == {"train": f"{first.name}_train"}


def test_a_failed_step_is_not_reused(lab: Lab, train: Step) -> None:
    marker = lab.project / "fail"
    marker.touch()
    flaky = step("flaky", f"test ! -e {marker}")
    assert lab.run(pipeline(flaky, train)).status is JobStatus.FAILED
    marker.unlink()
    again = run(lab, flaky, train)
    assert reused(again)["flaky"] is None
    assert reused(again)["train"] is not None


def test_a_deleted_output_is_put_back(lab: Lab, train: Step, score: Step) -> None:
    first = run(lab, train, score)
    place = Path(children(first)["train"].outputs["model"].path)
    shutil.rmtree(place)
    kept = Path(children(first)["train"].outputs["default"].path) / "outputs"
    shutil.rmtree(kept)
    again = run(lab, train, score)
    assert reused(again)["train"] == f"{first.name}_train"
    assert (place / "model").read_text() == "0.1\n"
    assert (kept / "o").read_text() == "o\n"


def test_a_changed_output_is_not_reused(lab: Lab, train: Step, score: Step) -> None:
    first = run(lab, train, score)
    model = Path(children(first)["train"].outputs["model"].path) / "model"
    model.chmod(0o644)
    model.write_text("9.9\n")
    again = run(lab, train, score)
    assert reused(again) == {"train": None, "score": f"{first.name}_score"}
    assert explained(lab, again)["train"].reason == (
        f"the result of {first.name}_train is not as it was: its output 'model' was changed"
    )
    third = run(lab, train)
    assert reused(third) == {"train": f"{again.name}_train"}
    assert model.read_text() == "9.9\n"


def test_an_output_that_is_gone_for_good_is_not_reused(lab: Lab, train: Step) -> None:
    first = run(lab, train)
    shutil.rmtree(Path(children(first)["train"].outputs["model"].path))
    shutil.rmtree(lab.workspace / "objects")
    again = run(lab, train)
    assert "its output 'model' was deleted" in explained(lab, again)["train"].reason


def test_two_equal_steps_side_by_side_both_complete(lab: Lab, train: Step) -> None:
    job = run(lab, train, changed(train, name="train_again"))
    assert set(children(job)) == {"train", "train_again"}


def test_many_steps_may_write_equal_outputs_at_once(lab: Lab) -> None:
    outputs = {"o": Output(), "e": Output(), "f": Output(type="uri_file", mode="upload")}
    line = "for n in 1 2 3; do echo $n > ${{outputs.o}}/$n; done; echo f > ${{outputs.f}}"
    steps = [step(f"s{n}", f"{line} # {n}", outputs=outputs) for n in range(8)]
    job = completed(lab.run(pipeline(*steps), max_parallel=8))
    assert len({child.outputs["o"].digest for child in job.children}) == 1
    for child in job.children:
        written = {file.name: file.read_text() for file in Path(child.outputs["o"].path).iterdir()}
        assert written == {"1": "1\n", "2": "2\n", "3": "3\n"}
        assert Path(child.outputs["f"].path).read_text() == "f\n"


def test_steps_that_did_not_run_are_explained_too(lab: Lab) -> None:
    bad = step("bad", "false", outputs={"o": Output()})
    behind = step("behind", "true", inputs={"o": StepOutput(step="bad", output="o")})
    job: Job = pipeline(bad, behind)
    told = explained(lab, lab.run(job))
    assert told["behind"].reason.startswith("not run: it needs the step 'bad'")
    assert told["bad"].reason == "the command ended with exit code 1"

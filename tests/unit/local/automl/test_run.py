"""Whole AutoML jobs: real processes and records, a search that tells what a script says."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.lab import PYTHON, Recording, children, pipeline, processes_of, step, wait_for
from tests.unit.local.automl.conftest import (
    SETUP,
    Searches,
    automl_step,
    finish,
    json_of,
    trial,
    trials_of,
)

from amlocal.errors import UsageError
from amlocal.local.automl.run import deadline_of, threads_of
from amlocal.local.tracking.client import TrackingClient
from amlocal.plan import (
    BEST_MODEL,
    AutoMLLimits,
    Guardrail,
    JobInfo,
    JobStatus,
    Settings,
    StepOutput,
)

COMPLETED, FAILED, CANCELED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED

WHOLE = [
    ("setup", SETUP),
    trial(0, 0.8, "LogisticRegression", hyperparameters={"C": 1.0, "penalty": None}),
    trial(1, 0.9),
    trial(2, None, status="Failed", message="out of memory"),
    trial(3, 0.9001, "VotingEnsemble", hyperparameters={"weights": {"0": 0.5, "1": 0.5}}),
    *finish(1, reason="the vote gains only 0.0001", test_metrics={"accuracy": 0.5}),
]


def completed(job: JobInfo) -> JobInfo:
    assert job.status is COMPLETED, job.error
    return job


def test_the_searchs_model_becomes_the_jobs(searches: Searches) -> None:
    job = completed(searches.run(WHOLE))
    assert job.type == "automl"
    model = Path(job.outputs[BEST_MODEL].path)
    assert (model / "MLmodel").is_file()
    assert (job.tracking.model or {})["outputs"][BEST_MODEL]["type"] == "mlflow_model"
    assert job.automl is not None
    assert (job.automl.best_trial, job.automl.algorithm) == (f"{job.name}_1", "LightGBM")
    assert (job.automl.value, job.automl.parameters) == (0.9, {"rate": 0.5})
    assert job.automl.reason == "the vote gains only 0.0001"
    assert job.automl.validation["folds"] == 3
    assert job.automl.guardrails[0] == Guardrail(**SETUP["guardrails"][0])
    assert job.automl.test_metrics == {"accuracy": 0.5}
    assert job.metrics == {"AUC_weighted": 0.9, "accuracy": 0.45, "test_accuracy": 0.5}
    assert job.params["best.algorithm"] == "LightGBM"


def test_the_primary_metric_is_the_score_everywhere(searches: Searches) -> None:
    told = trial(0, 0.8, metrics={"AUC_weighted": 0.79, "accuracy": 0.5})
    job = completed(searches.run([told, *finish(metrics={"AUC_weighted": 0.78})]))
    assert job.children[0].metrics == {"AUC_weighted": 0.8, "accuracy": 0.5}
    assert job.metrics == {"AUC_weighted": 0.8}


def test_trials_are_child_jobs(searches: Searches) -> None:
    recording = Recording()
    job = completed(searches.run(WHOLE, reporter=recording))
    assert trials_of(job, lambda info: info.name) == [f"{job.name}_{n}" for n in range(4)]
    assert trials_of(job, lambda info: info.type) == ["automl"] * 4
    assert trials_of(job, lambda info: info.status) == [COMPLETED, COMPLETED, FAILED, COMPLETED]
    assert trials_of(job, lambda info: info.trial.is_best) == [False, True, False, False]
    first, _, broken, vote = job.children
    assert first.display_name == "trial 0, LogisticRegression"
    assert first.trial is not None
    assert first.trial.parameters == {"C": 1.0, "penalty": "null"}
    assert first.metrics == {"AUC_weighted": 0.8, "accuracy": 0.4}
    assert broken.error == "out of memory"
    assert vote.trial is not None
    assert vote.trial.parameters == {"weights": '{"0":0.5,"1":0.5}'}
    assert all(info.start_time and info.end_time for info in job.children)
    assert (f"{job.name}_3", COMPLETED) in recording.changes


def test_trials_are_nested_runs(searches: Searches, tracking: TrackingClient) -> None:
    job = completed(searches.run(WHOLE))
    run = tracking.get_run(job.tracking.run_id)
    assert run.tags["amlocal.best_trial"] == f"{job.name}_1"
    assert run.tags["automl_best_child_run_id"] == job.children[1].tracking.run_id
    history = tracking.metric_history(job.tracking.run_id, "AUC_weighted")
    assert [found.value for found in history][:2] == [0.8, 0.9]
    for info in job.children:
        child = tracking.get_run(info.tracking.run_id)
        assert child.tags["mlflow.parentRunId"] == job.tracking.run_id
        assert child.tags["run_algorithm"] == (info.trial.algorithm if info.trial else None)
        assert child.status == ("FAILED" if info.status is FAILED else "FINISHED")
        assert (child.metrics, child.params) == (info.metrics, info.params)
    best = tracking.get_run(job.children[1].tracking.run_id).run
    files = tracking.list_artifacts(best.artifact_uri, "outputs/mlflow-model")
    assert [file.path for file in files] == ["outputs/mlflow-model/MLmodel"]


def test_what_the_search_reports_becomes_artifacts(
    searches: Searches, tracking: TrackingClient
) -> None:
    job = completed(searches.run(WHOLE))
    place = tracking.get_run(job.tracking.run_id).run.artifact_uri
    names = {file.path for file in tracking.list_artifacts(place, "outputs")}
    assert names == {f"outputs/{n}" for n in ("leaderboard.json", "guardrails.json", "explanation")}
    outputs = Path(job.outputs["default"].path) / "outputs"
    assert (outputs / "explanation" / "importance.png").read_bytes() == b"png"
    assert json_of(outputs / "guardrails.json")["checks"] == SETUP["guardrails"]


def test_the_best_trials_model_is_found_by_azures_address(searches: Searches) -> None:
    job = completed(searches.run(WHOLE))
    assert job.automl is not None
    address = f"azureml://jobs/{job.automl.best_trial}/outputs/artifacts/paths/outputs/mlflow-model"
    place = searches.lab.services.locations.existing(address)
    assert (place / "MLmodel").is_file()


def test_the_search_is_asked_for_what_the_plan_says(searches: Searches) -> None:
    kept = searches.lab.project / "asked.json"
    limits = {"max_trials": 7, "max_concurrent_trials": 2, "timeout_seconds": 90.0}
    job = searches.job(limits=limits, n_cross_validations=4)
    completed(searches.run([("request", str(kept)), trial(0, 0.5), *finish()], job, max_parallel=1))
    asked = json_of(kept)
    assert asked["training_data"] == str(searches.data)
    assert asked["limits"] == limits
    assert (asked["n_cross_validations"], asked["cores"] > 0) == (4, True)


def test_an_unchanged_search_is_reused_as_a_whole(searches: Searches) -> None:
    first = completed(searches.run(WHOLE))
    second = completed(searches.run([("exit", [1, "not to be started"])]))
    assert second.reused_from == first.name
    assert (second.automl, second.outputs) == (first.automl, first.outputs)
    other = completed(searches.run(WHOLE, searches.job(n_cross_validations=5)))
    (told,) = searches.lab.client.jobs.explain_reuse(other.name)
    assert told.changed == ("automl.n_cross_validations: absent -> 5",)


def test_a_search_runs_in_this_interpreter_also_where_steps_are_isolated(
    searches: Searches,
) -> None:
    job = completed(searches.run(WHOLE, environment="isolated"))
    assert job.tracking.environment is not None
    assert job.tracking.environment["kind"] == "current"


def test_a_search_that_fails_says_why(searches: Searches) -> None:
    job = searches.run([trial(0, 0.5), ("exit", [1, "ValueError: no trial has completed"])])
    assert job.status is FAILED
    assert job.error == (
        "the search ended with exit code 1; its log ends: ValueError: no trial has completed"
    )
    assert job.children[0].status is COMPLETED


def test_what_is_wrong_with_the_data_is_said_as_it_is(searches: Searches) -> None:
    sentence = "no column named 'incom'; did you mean 'income'?"
    job = searches.run([("exit", [2, sentence])])
    assert (job.status, job.error, job.error_code) == (FAILED, sentence, "UserError")


@pytest.mark.parametrize("script", [[trial(0, 0.5)], [trial(0, 0.5), finish()[1]]])
def test_a_search_without_a_model_has_failed(searches: Searches, script: Any) -> None:
    job = searches.run(script)
    assert job.status is FAILED
    assert job.error.startswith("the search ended without a model")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{}", "holds a line that is no event"),
        (
            '{"event": "trial_ended", "trial": 3, "status": "Completed", "time": 1}',
            "the search tells of trial 3, which has not begun",
        ),
    ],
)
def test_a_broken_line_ends_the_search(searches: Searches, line: str, why: str) -> None:
    hold = searches.lab.write("hold", "")
    job = searches.run([("raw", f"{line}\n"), ("hold", str(hold))])
    assert job.status is FAILED
    assert why in job.error
    assert job.error_code == "SystemError"
    assert processes_of(searches.lab) == []


@pytest.mark.slow
def test_a_search_that_goes_on_after_its_timeout_is_ended(searches: Searches) -> None:
    hold = searches.lab.write("hold", "")
    slow = trial(1, 0.9, seconds=600)
    began = time.monotonic()
    job = searches.run(
        [trial(0, 0.5), slow, ("hold", str(hold))], searches.job(limits={"timeout_seconds": 1.0})
    )
    assert 11 < time.monotonic() - began < 60
    assert job.status is FAILED
    assert job.error == "the search was not over in time after its timeout of 1 s"
    assert trials_of(job, lambda info: info.status) == [COMPLETED, CANCELED]
    assert processes_of(searches.lab) == []


def test_a_search_is_canceled_with_its_trials(searches: Searches) -> None:
    script = [trial(0, 0.5), trial(1, 0.9, seconds=600)]
    jobs = searches.jobs(script)
    ended: list[JobInfo] = []
    work = Thread(
        target=lambda: ended.append(
            jobs.create_or_update(searches.job(), name="slow", reporter=Recording())
        )
    )
    work.start()
    records = searches.lab.services.records
    wait_for(lambda: records.status("slow_1") is JobStatus.RUNNING)
    with pytest.raises(UsageError, match="slow_1 is a trial of an AutoML job"):
        jobs.cancel("slow_1")
    assert jobs.cancel("slow").status is CANCELED
    work.join()
    (job,) = ended
    assert trials_of(job, lambda info: info.status) == [COMPLETED, CANCELED]
    assert processes_of(searches.lab) == []


def test_a_search_whose_engine_was_killed_goes_on(
    searches: Searches, shared_folder: Path, tracking: TrackingClient
) -> None:
    lab, hold = searches.lab, searches.lab.write("hold", "")
    script = [trial(0, 0.7), trial(1, 0.8), trial(2, 0.6, until_gone=str(hold)), *finish(1)]
    searches.write(script)
    engine = subprocess.Popen(
        [PYTHON, "-m", "tests.unit.local.automl.conftest", str(lab.project), str(shared_folder)],
        cwd=Path(__file__).parents[4],
    )
    records = lab.services.records
    wait_for(lambda: records.status("lost_2") is JobStatus.RUNNING)
    wait_for(lambda: records.get("lost_2").tracking.run_id != "")
    engine.kill()
    engine.wait()
    lost = lab.client.jobs.get("lost")
    assert (lost.status, processes_of(lab)) == (FAILED, [])
    assert trials_of(lost, lambda info: info.status) == [COMPLETED, COMPLETED, FAILED]
    hold.unlink()
    job = completed(searches.run(script))
    assert trials_of(job, lambda info: info.reused_from) == ["lost_0", "lost_1", None]
    run_id = lost.children[2].tracking.run_id
    wait_for(lambda: tracking.get_run(run_id).status == "FAILED")
    assert lab.client.jobs.get("lost").warnings == ()


def test_a_search_that_was_interrupted_goes_on(searches: Searches) -> None:
    broken = searches.run([trial(0, 0.7), trial(1, 0.8), ("exit", [1, "lost"])])
    assert broken.status is FAILED
    job = completed(searches.run([trial(0, 0.7), trial(1, 0.8), trial(2, 0.6), *finish(1)]))
    assert trials_of(job, lambda info: info.reused_from) == [
        f"{broken.name}_0",
        f"{broken.name}_1",
        None,
    ]
    assert job.reused_from is None
    assert list(searches.lab.services.workspace.automl.iterdir()) == []


def test_a_forced_run_begins_anew(searches: Searches) -> None:
    searches.run([trial(0, 0.7), ("exit", [1, "lost"])])
    forced = searches.job(settings=Settings(force_rerun=True))
    job = completed(searches.run([trial(0, 0.7), *finish()], forced))
    assert trials_of(job, lambda info: info.reused_from) == [None]


def test_the_same_search_side_by_side_takes_a_folder_of_its_own(searches: Searches) -> None:
    hold = searches.lab.write("hold", "")
    jobs = searches.jobs([trial(0, 0.7), ("hold", str(hold)), *finish()])
    work = Thread(
        target=lambda: jobs.create_or_update(searches.job(), name="first", reporter=Recording())
    )
    work.start()
    records = searches.lab.services.records
    wait_for(lambda: records.status("first_0") is COMPLETED)
    second = completed(searches.run([trial(0, 0.6), *finish()]))
    assert second.children[0].reused_from is None
    hold.unlink()
    work.join()
    assert completed(records.get("first")).children[0].metrics["AUC_weighted"] == 0.7


def test_an_automl_step_feeds_other_steps(searches: Searches) -> None:
    best = automl_step("best", data=searches.data, output={"name": "found"})
    use = step(
        "use",
        "cat ${{inputs.model}}/MLmodel",
        inputs={"model": StepOutput(step="best", output=BEST_MODEL, type="mlflow_model")},
    )
    job = completed(searches.run(WHOLE, pipeline(best, use)))
    found = children(job)
    assert (found["best"].type, len(found["best"].children)) == ("automl", 4)
    assert found["best"].children[0].name == f"{job.name}_best_0"
    assert found["best"].outputs[BEST_MODEL].asset == "found:1"
    assert searches.lab.log(found["use"]) == "flavors: {}\n"
    assert job.metrics["best.AUC_weighted"] == 0.9
    again = completed(searches.run(WHOLE, pipeline(best, use)))
    assert all(info.reused_from for info in again.children)


@pytest.mark.parametrize(
    ("at_once", "cores_a_trial", "cores", "threads"),
    [(1, -1, 4, 4), (2, -1, 4, 2), (3, -1, 4, 1), (9, -1, 4, 1), (1, 2, 4, 2), (2, 8, 4, 2)],
)
def test_trials_share_the_cores(at_once: int, cores_a_trial: int, cores: int, threads: int) -> None:
    limits = AutoMLLimits(max_concurrent_trials=at_once, max_cores_per_trial=cores_a_trial)
    assert threads_of(limits, cores) == threads


@pytest.mark.parametrize(("timeout", "deadline"), [(60.0, 73.0), (None, float("inf"))])
def test_a_search_has_a_grace_after_its_timeout(timeout: float | None, deadline: float) -> None:
    assert deadline_of(AutoMLLimits(timeout_seconds=timeout)) == deadline

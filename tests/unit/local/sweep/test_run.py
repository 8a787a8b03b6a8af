"""Whole sweeps: real processes, trivial commands, the tests' tracking server."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.lab import Lab, Recording, children, pipeline, processes_of, step, wait_for
from tests.unit.local.sweep.conftest import SPACE, output_of, sweep_job, sweep_step

from amlocal.local.process import find_workers
from amlocal.local.tracking.client import TrackingClient
from amlocal.plan import (
    Choice,
    EarlyTermination,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    Sampling,
    Settings,
    StepOutput,
    Uniform,
)

COMPLETED, FAILED, CANCELED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED
GRID = Sampling(type="grid")


def values(job: JobInfo) -> list[float | None]:
    return [info.trial.value if info.trial else None for info in job.children]


def statuses(job: JobInfo) -> list[JobStatus]:
    return [info.status for info in job.children]


def tried(job: JobInfo) -> list[Any]:
    return [dict(info.trial.parameters) if info.trial else None for info in job.children]


def completed(job: JobInfo) -> JobInfo:
    assert job.status is COMPLETED, job.error
    return job


def test_the_best_trials_outputs_become_the_sweeps(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}; echo ${{{{search_space.x}}}} > ${{{{outputs.o}}}}/x"
    job = completed(lab.run(sweep_job(line, outputs={"o": Output()})))
    found = values(job)
    assert statuses(job) == [COMPLETED] * 4
    assert found == [point["x"] for point in tried(job)]
    best = min(value for value in found if value is not None)
    assert job.sweep is not None
    assert (job.sweep.value, job.sweep.parameters) == (best, {"x": best})
    assert job.sweep.best_trial == job.children[found.index(best)].name
    assert [info.trial.is_best for info in job.children if info.trial] == [
        value == best for value in found
    ]
    assert float((output_of(job) / "x").read_text()) == best
    assert job.metrics == {"loss": best}
    assert job.params["best.x"] == str(best)


def test_the_goal_decides_which_trial_is_the_best(lab: Lab, log: str) -> None:
    job = completed(lab.run(sweep_job(f"{log} 0 ${{{{search_space.x}}}}", goal="maximize")))
    assert job.sweep is not None
    assert job.sweep.value == max(value for value in values(job) if value is not None)


def test_a_trial_counts_by_the_best_value_that_it_has_logged(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=("3 1 2", "2 2 2"))}
    # Unquoted by the shell's own splitting: one parameter is several values to log.
    line = f"x=${{{{search_space.x}}}}; {log} 0 $x"
    job = completed(lab.run(sweep_job(line, space=space, sampling=GRID)))
    assert values(job) == [1.0, 2.0]


def test_trials_are_jobs_and_nested_runs_of_their_own(
    lab: Lab, log: str, tracking: TrackingClient
) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}; echo $AZUREML_SWEEP_x $AZUREML_RUN_ID"
    job = completed(lab.run(sweep_job(line, max_total_trials=2)))
    for number, info in enumerate(job.children):
        assert (info.name, info.parent) == (f"{job.name}_{number}", job.name)
        assert lab.services.records.get(info.name) == info
        assert info.trial is not None
        assert lab.log(info).split() == [str(info.trial.parameters["x"]), info.name]
        run = tracking.get_run(info.tracking.run_id)
        assert run.tags["mlflow.parentRunId"] == job.tracking.run_id
        assert run.params == {"x": str(info.trial.parameters["x"])} == info.params
        assert run.status == "FINISHED"
    own = tracking.get_run(job.tracking.run_id)
    assert own.tags["amlocal.best_trial"] == (job.sweep.best_trial if job.sweep else None)
    assert own.status == "FINISHED"


def test_pictures_are_artifacts_of_the_sweeps_run(
    lab: Lab, log: str, tracking: TrackingClient
) -> None:
    space = {**SPACE, "y": Choice(values=("a", "b"))}
    line = f"echo ${{{{search_space.y}}}}; {log} 0 ${{{{search_space.x}}}}"
    job = completed(lab.run(sweep_job(line, space=space, max_total_trials=6)))
    place = tracking.get_run(job.tracking.run_id).run.artifact_uri
    names = [file.path for file in tracking.list_artifacts(place, "sweep")]
    assert names == [
        f"sweep/{name}.png" for name in ("history", "importance", "parallel_coordinates")
    ]


def test_trials_run_side_by_side_as_far_as_there_is_room(lab: Lab, log: str) -> None:
    line = f"{log} 0.3 ${{{{search_space.x}}}}"
    for at_once, room in ((2, 4), (4, 2)):
        job = sweep_job(f"{line}; : {at_once}", max_concurrent_trials=at_once)
        assert most_at_once(completed(lab.run(job, max_parallel=room)).children) == 2


def most_at_once(infos: Sequence[JobInfo]) -> int:
    moments = [(info.start_time, 1) for info in infos]
    moments += [(info.end_time, -1) for info in infos]
    running, most = 0, 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


def test_a_grid_ends_when_its_points_are_tried(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(3, 1, 2))}
    job = sweep_job(
        f"{log} 0 ${{{{search_space.x}}}}", space=space, sampling=GRID, max_total_trials=50
    )
    assert values(completed(lab.run(job))) == [3.0, 1.0, 2.0]


def test_a_crashed_trial_does_not_end_the_sweep(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(1, 0, 2))}
    line = f"test ${{{{search_space.x}}}} != 0 && {log} 0 ${{{{search_space.x}}}}"
    job = completed(lab.run(sweep_job(line, space=space, sampling=GRID)))
    assert statuses(job) == [COMPLETED, FAILED, COMPLETED]
    assert job.sweep is not None
    assert job.sweep.value == 1.0


def test_a_sweep_all_of_whose_trials_crash_fails(lab: Lab) -> None:
    job = lab.run(sweep_job("echo broken ${{search_space.x}}; exit 3", max_total_trials=2))
    assert job.status is FAILED
    assert "none of 2 trials completed; trial 0: the command ended with exit code 3" in job.error
    assert job.error_code == "UserError"


def test_a_metric_that_no_trial_logs_is_said(lab: Lab, log: str) -> None:
    line = f"sed s/loss/lost/ {log.split()[1]} > p.py; {log.split()[0]} p.py 0 1"
    job = lab.run(sweep_job(f"{line}; : ${{{{search_space.x}}}}", max_total_trials=2))
    assert job.status is FAILED
    assert job.error == "no trial has logged the metric 'loss'\nhint: did you mean 'lost'?"


BANDIT = EarlyTermination(type="bandit", slack_amount=1.0, delay_evaluation=2)


def test_a_trial_that_falls_behind_is_ended_early(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(0, 5))}
    # The good trial logs a few values and ends; the bad one would go on for minutes.
    line = (
        f"if test ${{{{search_space.x}}}} = 0; then {log} 0 0 0 0; sleep 1; "
        f"else {log} 0.1 $(seq 5 2000); fi"
    )
    began = time.monotonic()
    job = completed(lab.run(sweep_job(line, space=space, sampling=GRID, early_termination=BANDIT)))
    assert time.monotonic() - began < 60
    assert statuses(job) == [COMPLETED, CANCELED]
    loser = job.children[1]
    assert loser.error.startswith("ended early at interval 2: loss 5 is outside the slack")
    assert loser.trial is not None
    assert loser.trial.value == 5.0
    assert processes_of(lab) == []


def test_reused_trials_are_compared_with_too(lab: Lab, log: str) -> None:
    line = f"{log} 0.2 ${{{{search_space.x}}}} ${{{{search_space.x}}}} ${{{{search_space.x}}}}"
    few = {"space": {"x": Choice(values=(0,))}, "sampling": GRID}
    first = completed(lab.run(sweep_job(line, **few, early_termination=BANDIT)))
    assert values(first) == [0.0]
    line = f"{line}; sleep 30"  # another command: nothing is reused
    more = {"space": {"x": Choice(values=(9,))}, "sampling": GRID}
    second = lab.run(sweep_job(line, **more, early_termination=BANDIT, trial_timeout=3))
    assert statuses(second) == [CANCELED]
    assert "its timeout of 3 s was over" in second.children[0].error


def test_a_trial_whose_time_is_over_is_canceled(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(0, 60))}
    line = f"sleep ${{{{search_space.x}}}}; {log} 0 ${{{{search_space.x}}}}"
    job = completed(lab.run(sweep_job(line, space=space, sampling=GRID, trial_timeout=2)))
    assert statuses(job) == [COMPLETED, CANCELED]
    assert job.children[1].error == "its timeout of 2 s was over"


def test_a_sweep_whose_time_is_over_is_canceled(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}; sleep 60"
    job = lab.run(sweep_job(line, timeout=2, max_concurrent_trials=1))
    assert job.status is CANCELED
    assert job.error == "its timeout of 2 s was over"
    assert statuses(job) == [CANCELED]
    assert processes_of(lab) == []


def test_a_sweep_is_canceled_with_its_trials(lab: Lab, log: str) -> None:
    job = lab.start(sweep_job(f"{log} 0 ${{{{search_space.x}}}}; sleep 60"))
    jobs = lab.client.jobs
    wait_for(lambda: JobStatus.RUNNING in statuses(jobs.get(job.name)))
    ended = jobs.cancel(job.name)
    assert ended.status is CANCELED
    assert set(statuses(ended)) == {CANCELED}
    assert processes_of(lab) == []


def test_one_trial_is_canceled_and_the_sweep_goes_on(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(0, 60))}
    line = f"sleep ${{{{search_space.x}}}}; {log} 0 ${{{{search_space.x}}}}"
    job = lab.start(sweep_job(line, space=space, sampling=GRID))
    jobs = lab.client.jobs
    slow = f"{job.name}_1"
    wait_for(lambda: lab.services.records.status(slow) is JobStatus.RUNNING)
    assert jobs.cancel(slow).status is CANCELED
    wait_for(lambda: jobs.get(job.name).status.is_terminal)
    assert completed(jobs.get(job.name)).sweep is not None


def test_an_unchanged_sweep_is_reused_as_a_whole(lab: Lab, log: str) -> None:
    job = sweep_job(f"{log} 0 ${{{{search_space.x}}}}", outputs={"o": Output()})
    first, second = (completed(lab.run(job)) for _ in range(2))
    assert second.reused_from == first.name
    assert (second.sweep, second.outputs) == (first.sweep, first.outputs)
    assert (second.metrics, second.children) == (first.metrics, ())


def test_a_longer_sweep_takes_over_the_trials_of_a_shorter_one(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}"
    for kind in ("random", "bayesian"):
        settings = {"sampling": Sampling(type=kind), "max_concurrent_trials": 1}
        first = completed(lab.run(sweep_job(line, **settings, max_total_trials=2)))
        second = completed(lab.run(sweep_job(line, **settings, max_total_trials=4)))
        assert [bool(info.reused_from) for info in second.children] == [True, True, False, False]
        assert tried(second)[:2] == tried(first)
        assert values(second)[:2] == values(first)


@pytest.mark.parametrize("kind", ["random", "bayesian"])
@pytest.mark.slow
def test_a_sweep_that_was_killed_goes_on(lab: Lab, log: str, kind: Any) -> None:
    flag = lab.project / "hold"
    flag.touch()
    line = (
        f"{log} 0 ${{{{search_space.x}}}}; "
        f"n=$(ls {lab.project} | grep -c done); touch {lab.project}/done_$AZUREML_RUN_ID; "
        f"while test $n -ge 2 -a -e {flag}; do sleep 0.1; done"
    )
    job = sweep_job(line, sampling=Sampling(type=kind), max_concurrent_trials=1)
    started = lab.start(job)
    wait_for(lambda: len(list(lab.project.glob("done_*"))) == 3)
    os.kill(engine_of(lab, started.name), signal.SIGKILL)
    wait_for(lambda: lab.client.jobs.get(started.name).status is FAILED)
    lost = lab.client.jobs.get(started.name)
    assert statuses(lost) == [COMPLETED, COMPLETED, FAILED]
    assert processes_of(lab) == []
    flag.unlink()
    again = completed(lab.run(job))
    assert [bool(info.reused_from) for info in again.children] == [True, True, False, False]
    assert tried(again)[:2] == tried(lost)[:2]


def engine_of(lab: Lab, job: str) -> int:
    (found,) = [pid for pid, name in find_workers(lab.workspace).items() if name == job]
    return found


def test_a_sweep_step_gives_its_best_output_to_other_steps(lab: Lab, log: str) -> None:
    tune = sweep_step(
        f"{log} 0 ${{{{inputs.x}}}}; echo ${{{{inputs.x}}}} > ${{{{outputs.o}}}}/x",
        name="tune",
        outputs={"o": Output()},
    )
    use = step("use", "cat ${{inputs.o}}/x", inputs={"o": StepOutput(step="tune", output="o")})
    recording = Recording()
    job = completed(lab.run(pipeline(tune, use), reporter=recording))
    sweep = children(job)["tune"]
    assert (sweep.type, len(sweep.children)) == ("sweep", 4)
    assert [info.name for info in sweep.children] == [f"{job.name}_tune_{n}" for n in range(4)]
    assert sweep.sweep is not None
    assert float(lab.log(children(job)["use"])) == sweep.sweep.value
    assert job.metrics == {"tune.loss": sweep.sweep.value}
    assert (f"{job.name}_tune_0", COMPLETED) in recording.changes
    again = completed(lab.run(pipeline(tune, use)))
    assert all(info.reused_from for info in again.children)


def test_a_failed_sweep_step_holds_back_what_needs_it(lab: Lab) -> None:
    tune = sweep_step("exit 1", name="tune", outputs={"o": Output()}, max_total_trials=1)
    use = step("use", "true", inputs={"o": StepOutput(step="tune", output="o")})
    other = step("other", "true")
    job = lab.run(pipeline(tune, use, other))
    assert job.status is FAILED
    assert children(job)["use"].status is JobStatus.NOT_STARTED
    assert children(job)["other"].status is COMPLETED


def test_steps_and_trials_share_the_room(lab: Lab, log: str) -> None:
    tune = sweep_step(f"{log} 0.3 ${{{{inputs.x}}}}", name="tune")
    others = [step(f"s{number}", f"sleep 0.3; : {number}") for number in range(3)]
    job = completed(lab.run(pipeline(tune, *others), max_parallel=2))
    commands = [*children(job)["tune"].children, *(i for i in job.children if i.type == "command")]
    assert most_at_once(commands) <= 2


def test_only_the_best_trials_output_is_registered(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}; echo ${{{{search_space.x}}}} > ${{{{outputs.o}}}}/x"
    outputs = {"o": Output(name="points")}
    job = completed(lab.run(sweep_job(line, outputs=outputs)))
    assert job.outputs["o"].asset == "points:1"
    assert [asset.version for asset in lab.client.data.list("points")] == ["1"]
    assert all(info.outputs["o"].asset is None for info in job.children)


def test_an_output_goes_to_the_place_that_it_names(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}; echo ${{{{search_space.x}}}} > ${{{{outputs.o}}}}/x"
    outputs = {"o": Output(path="azureml://datastores/blobs/paths/best/")}
    job = completed(lab.run(sweep_job(line, outputs=outputs)))
    place = lab.workspace / "datastores" / "blobs" / "best"
    assert output_of(job) == place
    assert job.sweep is not None
    assert float((place / "x").read_text()) == job.sweep.value
    assert len({info.outputs["o"].path for info in job.children}) == 4


def test_inputs_and_parameters_reach_the_trial(lab: Lab, log: str) -> None:
    space = {"x": Choice(values=(7,)), "word": Choice(values=("a 'b' $(touch pwned)",))}
    line = f"printf '%s\\n' ${{{{inputs.n}}}} ${{{{search_space.word}}}}; {log} 0 1"
    job = sweep_job(line, space=space, fields={"inputs": {"n": LiteralValue(value=3)}})
    done = completed(lab.run(job))
    assert lab.log(done.children[0]).splitlines() == ["3", "a 'b' $(touch pwned)"]
    assert not list(Path(lab.project).rglob("pwned"))


def test_a_whole_multiple_reaches_the_program_as_a_whole_number(lab: Lab, log: str) -> None:
    space = {"x": Uniform(min_value=3.6, max_value=4.4, q=1)}
    job = sweep_job(f"echo ${{{{search_space.x}}}}; {log} 0 1", space=space, max_total_trials=1)
    assert lab.log(completed(lab.run(job)).children[0]) == "4\n"


def test_nothing_is_reused_where_a_rerun_is_forced(lab: Lab, log: str) -> None:
    tune = sweep_step(f"{log} 0 ${{{{inputs.x}}}}", name="tune", max_total_trials=2)
    forced = Settings(force_rerun=True)
    for _ in range(2):
        job = completed(lab.run(pipeline(tune, settings=forced)))
        (sweep,) = job.children
        assert [info.reused_from for info in (sweep, *sweep.children)] == [None] * 3


def test_a_trials_name_that_is_taken_fails_the_sweep_alone(lab: Lab, log: str) -> None:
    tune = sweep_step(f"{log} 0 ${{{{inputs.x}}}}", name="tune")
    taken = step("tune_0", "true")
    job = lab.run(pipeline(tune, taken), max_parallel=1)
    assert children(job)["tune"].status is FAILED
    assert "a job has that name" in children(job)["tune"].error
    assert children(job)["tune_0"].status is COMPLETED


def test_what_trials_wrote_survives_a_clean_up(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{inputs.x}}}}; echo ${{{{inputs.x}}}} > ${{{{outputs.o}}}}/x"
    tune = sweep_step(line, name="tune", outputs={"o": Output()}, max_total_trials=2)
    first = completed(lab.run(pipeline(tune)))
    lab.client.workspace.collect_garbage()
    for info in first.children[0].children:
        shutil.rmtree(output_of(info))  # it is put back from storage
    more = sweep_step(line, name="tune", outputs={"o": Output()}, max_total_trials=3)
    again = completed(lab.run(pipeline(more)))
    reused = [info.reused_from for info in again.children[0].children]
    assert reused == [*(info.name for info in first.children[0].children), None]


def test_it_is_explained_why_trials_ran(lab: Lab, log: str) -> None:
    line = f"{log} 0 ${{{{search_space.x}}}}"
    lab.run(sweep_job(line, max_total_trials=1))
    job = completed(lab.run(sweep_job(line, max_total_trials=2)))
    told = {reuse.step: reuse for reuse in lab.client.jobs.explain_reuse(job.name)}
    assert list(told) == ["sweep", "trial 0", "trial 1"]
    assert told["sweep"].changed == ("sweep.max_total_trials: 1 -> 2",)
    assert told["trial 0"].reused_from is not None
    assert told["trial 1"].reason == "it has not run before"

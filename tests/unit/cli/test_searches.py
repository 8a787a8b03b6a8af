"""What people see of an AutoML job: sweeps' own words are in `test_trials`."""

from __future__ import annotations

from tests.unit.cli.fakes import pipeline, step, terminal, written

from amlocal.cli import summary
from amlocal.cli.live import LiveReporter, draw_trials
from amlocal.cli.plain import PlainReporter
from amlocal.cli.progress import Progress
from amlocal.cli.trials import Board
from amlocal.plan import AutoMLInfo, Guardrail, JobInfo, JobStatus, TrialInfo

RUNNING, COMPLETED = JobStatus.RUNNING, JobStatus.COMPLETED
FOUND = AutoMLInfo(metric="AUC_weighted", goal="maximize", max_total_trials=1000)
ENDED = AutoMLInfo(
    metric="AUC_weighted",
    goal="maximize",
    best_trial="automl_1",
    value=0.9,
    parameters={"rate": 0.5},
    algorithm="LightGBM",
    reason="the vote gains only 0.0001",
    stopped_because="timeout",
    validation={"type": "holdout", "rows": 90},
    guardrails=(
        Guardrail(check="Class balance", state="alerted", detail="9 of 10 rows are of one class"),
        Guardrail(check="Missing values", state="passed", detail="none"),
    ),
    test_metrics={"accuracy": 0.875},
)


def trial(number: int, algorithm: str, value: float | None, *, is_best: bool = False) -> JobInfo:
    return JobInfo(
        name=f"automl_{number}",
        type="automl",
        status=RUNNING if value is None else COMPLETED,
        display_name=f"trial {number}, {algorithm}",
        parent="automl",
        start_time="2026-01-01T00:00:00.000+00:00",
        duration=2.0,
        trial=TrialInfo(
            number=number,
            algorithm=algorithm,
            parameters={"rate": 0.5, "weights": "[1,2]"},
            value=value,
            is_best=is_best,
        ),
    )


def job(*children: JobInfo, found: AutoMLInfo = FOUND, status: JobStatus = RUNNING) -> JobInfo:
    return JobInfo(
        name="automl", type="automl", status=status, children=children, duration=9.0, automl=found
    )


RUNS = job(trial(0, "LogisticRegression", 0.8), trial(1, "LightGBM", 0.9), trial(2, "SGD", None))
OVER = job(
    trial(0, "LogisticRegression", 0.8),
    trial(1, "LightGBM", 0.9, is_best=True),
    trial(2, "VotingEnsemble", 0.9001),
    found=ENDED,
    status=COMPLETED,
)


def test_the_table_of_trials() -> None:
    drawn = draw_trials(Board(RUNS, now=lambda: 1.0), 20, 100, terminal(width=100))
    assert ["".join(segment.text for segment in line).rstrip() for line in drawn] == [
        "● Running  automl  2 trials, best AUC_weighted 0.9 (trial 1, LightGBM)  0:09",
        "trial  algorithm           status     time   AUC_weighted  hyperparameters",
        "-----  ------------------  ---------  -----  ------------  -----------------------",
        "0      LogisticRegression  Completed  2.0 s  0.8           rate 0.5, weights [1,2]",
        "1      LightGBM            Completed  2.0 s  0.9 ★         rate 0.5, weights [1,2]",
        "2      SGD                 Running    2.0 s                rate 0.5, weights [1,2]",
    ]


def test_a_live_job_is_a_table() -> None:
    term = terminal(width=100)
    with LiveReporter(term) as reporter:
        reporter.job_started(job())
        reporter.step_changed(RUNS.children[1])
        reporter.log(RUNS, "not shown\n")
        reporter.job_finished(RUNS)
    assert "0.9 ★" in written(term)
    assert "not shown" not in written(term)


def test_plain_lines_tell_algorithm_and_end_of_each_trial() -> None:
    term = terminal(tty=False)
    reporter = PlainReporter(term)
    reporter.job_started(job())
    for each in RUNS.children:
        reporter.step_changed(each)
    told = "(2.0 s, AUC_weighted 0.9, best so far): rate 0.5, weights [1,2]"
    assert written(term).splitlines()[2:] == [f"-- trial 1, LightGBM: Completed {told}"]


def test_a_pipelines_tree_says_how_far_the_search_has_come() -> None:
    own = step("best", RUNNING, automl=FOUND)
    progress = Progress(pipeline(own, status=RUNNING))
    child = JobInfo.from_json(trial(1, "LightGBM", 0.9).to_json().replace(b"automl", b"x"))
    progress.change(_below(own, child))
    progress.log(own, "a line of the search's own\n")
    (row,) = progress.screen(9).rows
    assert row.line == "1 trial, best AUC_weighted 0.9 (trial 1, LightGBM)"


def _below(parent: JobInfo, child: JobInfo) -> JobInfo:
    given = {name: getattr(child, name) for name in ("status", "display_name", "trial")}
    return JobInfo(name=f"{parent.name}_1", type="automl", parent=parent.name, **given)


def test_the_end_shows_the_best_models_and_what_to_look_at() -> None:
    shown = summary.ended(OVER, terminal(NO_COLOR="1", width=120))
    lines = shown.splitlines()
    assert "  best trial  automl_1: AUC_weighted 0.9 with LightGBM, rate 0.5" in lines
    assert "  because     the vote gains only 0.0001" in lines
    rows = [line.split()[:2] for line in lines[lines.index("trials") + 3 :][:3]]
    assert rows == [["2", "VotingEnsemble"], ["1", "LightGBM"], ["0", "LogisticRegression"]]
    (starred,) = [line for line in lines if "★" in line]
    assert "LightGBM" in starred
    assert "  alerted: Class balance: 9 of 10 rows are of one class" in lines
    assert "Missing values" not in shown


def test_job_show_tells_everything() -> None:
    lines = summary.job(OVER, terminal(NO_COLOR="1", width=120)).splitlines()
    assert "  ended by      timeout" in lines
    assert "  validation    type holdout, rows 90" in lines
    assert "  on test data  accuracy 0.875" in lines
    assert "  passed: Missing values: none" in lines
    shown = summary.job(OVER.children[1], terminal(NO_COLOR="1")).splitlines()
    assert "  trial         1 of automl: LightGBM, rate 0.5, weights [1,2]" in shown

from __future__ import annotations

import pytest
from tests.unit.cli.fakes import pipeline, step, terminal, written

from amlocal.cli import summary, text, trials
from amlocal.cli.live import LiveReporter, draw_trials
from amlocal.cli.plain import PlainReporter
from amlocal.cli.progress import Progress
from amlocal.cli.trials import Board
from amlocal.plan import JobInfo, JobStatus, Scalar, SweepInfo, TrialInfo, best_trial

RUNNING, COMPLETED = JobStatus.RUNNING, JobStatus.COMPLETED
SWEEP = SweepInfo(metric="loss", goal="minimize", max_total_trials=6)


def trial(
    number: int,
    value: float | None = None,
    status: JobStatus = COMPLETED,
    parent: str = "tune",
    **parameters: Scalar,
) -> JobInfo:
    given: dict[str, Scalar] = {"rate": 0.1 * (number + 1), "kind": "a", **parameters}
    return JobInfo(
        name=f"{parent}_{number}",
        type="command",
        status=status,
        display_name=f"trial {number}",
        parent=parent,
        start_time="2026-01-01T00:00:00.000+00:00",
        duration=2.0,
        trial=TrialInfo(number=number, parameters=given, value=value),
    )


def sweep(*children: JobInfo, status: JobStatus = RUNNING, **fields: object) -> JobInfo:
    known: dict[str, object] = {"duration": 12.0, "sweep": SWEEP, **fields}
    return JobInfo(name="tune", type="sweep", status=status, children=children, **known)  # type: ignore[arg-type]


TRIALS = (
    trial(0, 0.5),
    trial(1, 0.25),
    trial(2, 0.9, JobStatus.CANCELED),
    trial(3, None, JobStatus.FAILED),
    trial(4, 0.1, RUNNING),
)


def lines(board: Board, width: int = 80, room: int = 20, encoding: str = "utf-8") -> list[str]:
    drawn = draw_trials(board, room, width, terminal(encoding=encoding, width=width))
    return ["".join(segment.text for segment in line).rstrip() for line in drawn]


def test_the_table() -> None:
    board = Board(sweep(*TRIALS), now=lambda: 100.0)
    assert lines(board) == [
        "● Running  tune  4 of 6 trials, best loss 0.25 (trial 1)  0:12",
        "trial  status     time   loss    kind  rate",
        "-----  ---------  -----  ------  ----  ----",
        "0      Completed  2.0 s  0.5     a     0.1",
        "1      Completed  2.0 s  0.25 ★  a     0.2",
        "2      Canceled   2.0 s  0.9     a     0.3",
        "3      Failed     2.0 s          a     0.4",
        "4      Running    2.0 s  0.1     a     0.5",
    ]


def test_the_table_in_ascii() -> None:
    drawn = lines(Board(sweep(*TRIALS)), encoding="ascii")
    assert "\n".join(drawn).isascii()
    assert "0.25 *" in drawn[4]


@pytest.mark.parametrize("width", [30, 60, 200])
@pytest.mark.parametrize("room", [3, 5, 20])
def test_the_table_fits_the_terminal(width: int, room: int) -> None:
    many = [trial(number, 1.0, word="日本語" * 20) for number in range(30)]
    drawn = lines(Board(sweep(*many)), width, room)
    assert max(text.cells(line) for line in drawn[1:]) <= width
    assert len(drawn) <= room + 2


def test_the_best_and_those_that_run_are_shown_before_others() -> None:
    ended = [trial(number, 1.0 + number) for number in range(10)]
    board = Board(sweep(*ended, trial(10, None, RUNNING)))
    shown = [info.trial.number for info in board.shown(4) if info.trial]
    assert shown == [0, 8, 9, 10]


def test_a_running_trials_time_goes_on() -> None:
    clock = [100.0]
    board = Board(sweep(trial(0, None, RUNNING)), now=lambda: clock[0])
    clock[0] = 103.0
    (running,) = board.trials()
    assert board.running_time(running) == 5.0
    assert board.seconds == 15.0
    board.change(trial(0, 0.5))
    (ended,) = board.trials()
    assert board.running_time(ended) == 2.0


def test_a_live_sweep_is_a_table() -> None:
    term = terminal()
    with LiveReporter(term) as reporter:
        reporter.job_started(sweep())
        reporter.step_changed(trial(0, 0.5))
        reporter.log(trial(0, 0.5), "not shown\n")
        reporter.job_finished(sweep(trial(0, 0.5), status=COMPLETED))
    assert "0.5 ★" in written(term)
    assert "not shown" not in written(term)
    assert "1 of 6 trials, best loss 0.5 (trial 0)" in written(term)


def test_plain_lines_tell_the_end_of_each_trial() -> None:
    term = terminal(tty=False)
    reporter = PlainReporter(term)
    reporter.job_started(sweep())
    reporter.step_changed(trial(0, None, RUNNING))
    reporter.log(trial(0), "epoch 1\n")
    reporter.step_changed(trial(0, 0.5))
    reporter.step_changed(trial(0, 0.5))
    reporter.step_changed(trial(1, 0.75))
    reporter.step_changed(trial(2, 0.25))
    assert written(term).splitlines() == [
        "-- tune: sweep job",
        "trial 0 | epoch 1",
        "-- trial 0: Completed (2.0 s, loss 0.5, best so far): kind a, rate 0.1",
        "-- trial 1: Completed (2.0 s, loss 0.75): kind a, rate 0.2",
        "-- trial 2: Completed (2.0 s, loss 0.25, best so far): kind a, rate 0.3",
    ]


def test_a_pipelines_tree_says_how_far_its_sweep_has_come() -> None:
    job = pipeline(step("tune", RUNNING, sweep=SWEEP), status=RUNNING)
    progress = Progress(job)
    progress.change(trial(0, 0.5, parent="lifecycle_1_tune"))
    (row,) = progress.screen(9).rows
    assert row.line == "1 of 6 trials, best loss 0.5 (trial 0)"


def test_job_show_ranks_the_trials() -> None:
    best = {"best_trial": "tune_1", "value": 0.25, "parameters": {"rate": 0.2, "kind": "a"}}
    found = SweepInfo(metric="loss", goal="minimize", max_total_trials=5, **best)  # type: ignore[arg-type]
    job = sweep(*TRIALS, status=COMPLETED, sweep=found)
    shown = summary.job(job, terminal(NO_COLOR="1")).splitlines()
    assert "  objective   minimize loss" in shown
    assert "  best trial  tune_1: loss 0.25 with kind a, rate 0.2" in shown
    table = shown[shown.index("trials") + 3 :]
    assert [line.split()[0] for line in table[:5]] == ["1", "0", "2", "3", "4"]
    assert "failed" not in summary.ended(job, terminal())


def test_a_trial_shows_what_it_tries() -> None:
    shown = summary.job(trial(1, 0.5), terminal(NO_COLOR="1")).splitlines()
    assert "  trial         1 of tune: kind a, rate 0.2" in shown


@pytest.mark.parametrize(("goal", "name"), [("minimize", "tune_1"), ("maximize", "tune_0")])
def test_only_completed_trials_can_be_the_best(goal: str, name: str) -> None:
    best = best_trial(goal, TRIALS)
    assert best is not None
    assert best.name == name
    assert best_trial(goal, TRIALS[2:]) is None


def test_values_are_short() -> None:
    given: dict[str, Scalar] = {"b": 0.123456789, "a": "x\ny", "c": 3, "d": True}
    assert trials.parameters(given) == "a x y, b 0.123457, c 3, d True"

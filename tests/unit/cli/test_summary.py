from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.fakes import SERVER, command, pipeline, step, terminal

from amlocal.cli import summary, text
from amlocal.plan import InputInfo, JobStatus, Tracking


def test_a_job_shows_the_five_things_tracked_and_says_which_is_absent() -> None:
    shown = summary.job(pipeline(step("train")), terminal(NO_COLOR="1"))
    tracked = shown.partition("\ntracked\n")[2].partition("\n\n")[0].splitlines()
    assert tracked == [
        "  data         train_data: name adult, digest cdcdcdcdcdcd",
        "  code         folder components/train, git_commit efefefefefef, dirty True",
        "  environment  absent: the steps have their own",
        "  model        adult: version 3",
        "  serving      absent: nothing is deployed",
    ]


def test_what_is_tracked_of_each_step_is_a_line_that_fits() -> None:
    facts = {"approximations": ["the image is not run" * 9], "hash": "ab" * 32, "name": "tables:1"}
    job = pipeline(tracking=Tracking(environment={"train": facts, "evaluate": facts}))
    term = terminal(width=60)
    lines = summary.job(job, term).splitlines()
    (first,) = [i for i, line in enumerate(lines) if line.startswith("  environment")]
    assert lines[first].startswith("  environment  train: name tables:1, hash abababababab, app")
    assert lines[first + 1].startswith("               evaluate: name tables:1")
    assert [text.cells(line) for line in lines[first : first + 2]] == [60, 60]
    assert "the image is not run" * 9 in summary.job(job, terminal(tty=False))


def test_a_job_that_was_never_tracked_says_so_five_times() -> None:
    shown = summary.job(command(tracking=Tracking()), terminal())
    assert shown.count("absent: not recorded") == 5


def test_a_job_shows_its_facts() -> None:
    shown = summary.job(pipeline(step("train")), terminal(NO_COLOR="1"))
    assert shown.startswith("✓ Completed  lifecycle_1  12.3 s, 1 of 1 step completed\n")
    assert "  created       2026-01-02 03:04:05 UTC\n" in shown
    assert "  epochs      3\n" in shown
    assert "  train_data  /data/adult.parquet  (abababababab)\n" in shown
    assert "  ✓ train  Completed  2.0 s\n" in shown


def test_what_steps_conclude_is_shown_at_the_end() -> None:
    register = step("register", params={"conclusion": "NOT REGISTERED adult: a tie", "n": "1"})
    job = pipeline(step("train", params={"rounds": "3"}), register)
    for shown in (summary.ended(job, terminal()), summary.job(job, terminal(NO_COLOR="1"))):
        assert shown.count("  register  NOT REGISTERED adult: a tie\n") == 1
        assert "rounds" not in shown
    assert "conclusions" not in summary.ended(pipeline(step("train")), terminal())


def test_values_that_mean_no_are_shown() -> None:
    inputs = {"flag": InputInfo(type="boolean", value=False), "n": InputInfo("integer", value=0)}
    shown = summary.job(command(inputs=inputs), terminal())
    assert "  flag  False\n" in shown
    assert "  n     0\n" in shown


def test_a_step_names_its_pipeline() -> None:
    shown = summary.job(step("train", reused_from="lifecycle_0_train"), terminal())
    assert "train of lifecycle_1" in shown
    assert "lifecycle_0_train" in shown


def test_on_a_terminal_conclusions_are_wrapped_under_themselves() -> None:
    said = "REFUSED adult: " + "; ".join(f"rule {number} is broken" for number in range(9))
    job = pipeline(step("gate", params={"conclusion": said}), step("x"))
    lines = summary.ended(job, terminal(NO_COLOR="1")).splitlines()
    start = lines.index("conclusions") + 1
    wrapped = lines[start : lines.index("", start)]
    assert len(wrapped) > 1
    assert max(map(len, wrapped)) <= 80
    assert wrapped[0].startswith("  gate  REFUSED adult: rule 0")
    assert all(line.startswith("        ") and line[8] != " " for line in wrapped[1:])
    assert f"  gate  {said}\n" in summary.ended(job, terminal(tty=False))


def test_of_many_metrics_the_end_of_a_job_shows_a_line() -> None:
    parts = {f"f1.part_of_a_long_name_{number}": 0.5 for number in range(20)}
    job = pipeline(step("evaluate", metrics={"brier": 0.08, "auc": 0.93, **parts}))
    ended = summary.ended(job, terminal(tty=False))
    shown = "auc 0.93   brier 0.08   f1.part_of_a_long_name_0 0.5   and 19 more"
    assert f"  evaluate  {shown}\n" in ended
    assert summary.job(job, terminal()).count("part_of_a_long_name") == 20
    few = pipeline(step("compare", metrics={"auc": 0.93, "champion.auc": 0.9}))
    assert "auc 0.93   champion.auc 0.9\n" in summary.ended(few, terminal())


def test_metrics_of_steps_are_shown_once() -> None:
    job = pipeline(
        step("train", metrics={"auc": 0.9}),
        step("evaluate", metrics={"auc": 0.93, "error": 0.126712345}),
        metrics={"auc": 0.93, "train.auc": 0.9, "evaluate.error": 0.126712345},
    )
    shown = summary.ended(job, terminal(NO_COLOR="1"))
    metrics = shown.partition("\nmetrics\n")[2].partition("\n\n")[0].splitlines()
    assert metrics == [
        "  train     auc 0.9",
        "  evaluate  auc 0.93   error 0.126712",
    ]


def test_metrics_of_a_job_itself_have_a_line_each() -> None:
    shown = summary.ended(pipeline(metrics={"auc": 0.93, "error": 0.1}), terminal(NO_COLOR="1"))
    metrics = shown.partition("\nmetrics\n")[2].partition("\n\n")[0].splitlines()
    assert metrics == ["  auc    0.93", "  error  0.1"]


def test_many_metrics_of_a_step_are_filled_into_lines() -> None:
    job = pipeline(step("train", metrics={f"metric_{n:02}": n / 8 for n in range(9)}))
    shown = summary.job(job, terminal(NO_COLOR="1"))
    lines = shown.partition("\nmetrics\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("  train  metric_00 0   metric_01 0.125")
    assert all(line.startswith("         metric_") for line in lines[1:])
    assert sum(line.count("metric_") for line in lines) == 9


def test_every_failed_step_is_told_with_its_reason() -> None:
    failed = [step(name, JobStatus.FAILED, error=f"{name} broke") for name in ("a", "b")]
    shown = summary.ended(pipeline(*failed, status=JobStatus.FAILED), terminal(NO_COLOR="1"))
    assert "a failed: a broke" in shown
    assert "b failed: b broke" in shown


def test_a_job_that_failed_before_its_steps_tells_why() -> None:
    job = pipeline(step("a", JobStatus.NOT_STARTED), status=JobStatus.FAILED, error="no disk")
    assert "life cycle failed: no disk" in summary.ended(job, terminal())


@pytest.mark.parametrize(
    ("fields", "server", "address"),
    [
        ({}, "", f"{SERVER}/#/experiments/7/runs/r1?workflowType=machine_learning"),
        (
            {},
            "http://127.0.0.1:9",
            "http://127.0.0.1:9/#/experiments/7/runs/r1?workflowType=machine_learning",
        ),
        ({"page": "https://ml.azure.com/x"}, "", "https://ml.azure.com/x"),
        ({"tracking": Tracking(uri=SERVER)}, "", ""),
        ({"tracking": Tracking(uri="azureml://x", run_id="r")}, "", ""),
    ],
)
def test_the_page_of_a_job(fields: dict[str, str], server: str, address: str) -> None:
    assert summary.run_address(pipeline(**fields), server) == address


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"\xff" * 100_000 + b"\n" + "été\n\nend\n".encode())
    assert summary.log_tail(str(log), lines=3) == ["été", "end"]
    log.write_text("")
    assert summary.log_tail(str(log)) == []
    assert summary.log_tail(str(tmp_path / "gone")) == []
    assert summary.log_tail(str(tmp_path)) == []

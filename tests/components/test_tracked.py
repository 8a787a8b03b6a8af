"""The run of a step, on a real tracking server and without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stepkit.program import StepError
from stepkit.tracking import Untracked, tracked


def test_what_is_logged_lands_in_the_steps_run(tmp_path: Path, step_run) -> None:
    (tmp_path / "report.md").write_text("all is well")
    run = step_run("any")
    with tracked() as tracking:
        assert tracking.run_id == run.id
        tracking.params({"estimator.depth": "3"})
        tracking.metrics({"auc": 0.9})
        tracking.tags({"model": "a"})
        tracking.artifacts(tmp_path, "reports")
        tracking.conclude("it is\n  " + "so " * 300)
    assert run.data.metrics == {"auc": 0.9}
    assert run.data.params["estimator.depth"] == "3"
    assert len(run.data.params["conclusion"]) == 500
    assert run.data.params["conclusion"].startswith("it is so so")
    assert run.data.params["conclusion"].endswith("…")
    assert run.data.tags["model"] == "a"
    assert run.artifacts("reports") == {"reports/report.md"}
    assert run.status == "FINISHED"


def test_an_error_ends_the_run_as_failed(step_run) -> None:
    run = step_run("any")
    with pytest.raises(StepError), tracked():
        raise StepError("closed gate")
    assert run.status == "FAILED"


def test_a_run_that_is_not_there_is_a_clear_error(
    step_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_run("any")
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with pytest.raises(StepError, match="did not open the run"), tracked():
        pass


def test_by_hand_nothing_is_tracked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with tracked() as tracking:
        assert isinstance(tracking, Untracked)
        tracking.params({"a": "b"})
        tracking.metrics({"auc": 0.9})
        tracking.tags({"a": "b"})
        tracking.artifacts(tmp_path, "reports")
    assert "metrics are printed only" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_by_hand_mlflow_is_not_imported() -> None:
    program = "import sys; from stepkit.tracking import tracked\n"
    program += "with tracked(): sys.exit('mlflow' in sys.modules)"
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": source}, check=False)
    assert done.returncode == 0

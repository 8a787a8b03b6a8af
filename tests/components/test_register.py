from __future__ import annotations

import json
from pathlib import Path

import pytest
import register
from tests.components.judged import Candidates

from stepkit.program import StepError


@pytest.fixture
def candidates(tmp_path: Path, step_run) -> Candidates:
    found = Candidates(tmp_path, step_run)
    (tmp_path / "policy.yml").write_text("require: [{figure: r2, at_least: 0.1}]")
    return found


def test_a_version_says_where_it_comes_from(
    candidates: Candidates, capsys: pytest.CaptureFixture[str]
) -> None:
    candidates.train("model")
    done = candidates.through("model", "--model-name", "register-tags")
    assert (done["registered"], done["alias"], done["version"]) == (True, "champion", "1")
    client = candidates.run._client
    version = client.get_model_version_by_alias("register-tags", "champion")
    assert version.tags["job"] == "job-1"
    assert version.tags["policy"] == "policy"
    assert version.tags["decision"] == "champion"
    assert version.tags["training_run_id"]
    assert len(version.tags["model_digest"]) == 64
    assert float(version.tags["metric.rmse"]) == pytest.approx(done["metrics"]["rmse"], rel=1e-5)
    assert "model/MLmodel" in candidates.run.artifacts("model")
    concluded = candidates.run.data.params["conclusion"]
    assert concluded == (
        "REGISTERED register-tags version 1 as champion: "
        "passes the policy; there is no champion yet"
    )
    assert concluded.partition(":")[0] in capsys.readouterr().out


def test_a_version_says_which_event_started_its_job() -> None:
    evaluation = {"test_data_digest": "d", "metrics": {}}
    decision = {"model_digest": "m", "policy": {"name": "p"}, "decision": "challenger"}
    job = {"event": "7", "event_type": "new_data", "trigger": "retrain", "other": "x"}
    description = {"metadata": {"data_window": "a/b"}}
    found = register.lineage_tags(description, evaluation, decision, {}, job)
    assert job.items() - found.items() == {("other", "x")}
    assert (found["data_window"], found["decision"]) == ("a/b", "challenger")


def test_what_the_gate_refuses_is_not_registered(candidates: Candidates) -> None:
    candidates.train("model")
    done = candidates.through("model", "--model-name", "register-not", "--thresholds", "r2>=2")
    assert (done["registered"], done["version"], done["alias"]) == (False, None, None)
    assert candidates.run.data.metrics["registered"] == 0
    assert candidates.run.data.params["conclusion"].startswith("NOT REGISTERED register-not: r2: f")
    assert not candidates.run._client.search_model_versions("name='register-not'")


def test_nothing_is_registered_by_the_decision_on_another_model(candidates: Candidates) -> None:
    candidates.train("model")
    candidates.train("other", ignore="b")
    candidates.gate("model", "--model-name", "register-other")
    with pytest.raises(StepError, match="the gate decided on another model"):
        candidates.register("other")
    decision = candidates.folder / "decision/gate.json"
    found = json.loads(decision.read_text())
    decision.write_text(json.dumps({**found, "test_data_digest": "0" * 64}))
    with pytest.raises(StepError, match="the gate decided by other test data"):
        candidates.register("model")
    decision.write_text("{}")
    with pytest.raises(StepError, match="is no decision of the gate"):
        candidates.register("model")
    decision.unlink()
    with pytest.raises(StepError, match=r"gate\.json is not there"):
        candidates.register("model")


def test_a_decision_counts_once_and_while_it_is_true(candidates: Candidates) -> None:
    name = ["--model-name", "register-once"]
    candidates.train("some", ignore="b")
    candidates.train("best")
    candidates.gate("some", *name)
    kept = (candidates.folder / "decision/gate.json").read_text()
    assert candidates.register("some")["version"] == "1"
    assert candidates.register("some")["version"] == "1"

    assert candidates.through("best", *name)["version"] == "2"
    (candidates.folder / "decision/gate.json").write_text(kept)
    with pytest.raises(
        StepError, match="is version 2 now, and the gate compared with version none"
    ):
        candidates.register("some")


def test_registering_needs_a_registry(tmp_path: Path) -> None:
    folder = str(tmp_path)
    given = ["--model", folder, "--evaluation", folder, "--decision", folder]
    with pytest.raises(StepError, match="MLFLOW_TRACKING_URI is not set"):
        register.main([*given, "--registration", folder])

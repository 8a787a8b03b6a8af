"""Public Responsible AI jobs: each ends in a dashboard and a scorecard.

Their training script registers a model by the path of a folder that it removes at once.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conformance.test_azureml_examples import child, log_of, run
from tests.e2e.driver import Aml

# Two environments are built, and five tools run one after another.
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(3600)]

FOLDER = "../responsible-ai/cli-responsibleaidashboard"


@pytest.mark.parametrize("name", ["housing-classification", "programmer-regression"])
def test_a_dashboard_and_a_scorecard(aml: Aml, examples: Path, name: str) -> None:
    job = run(aml, examples, f"{FOLDER}-{name}/cli-responsibleaidashboard-{name}.yml")

    def output(step: str, name: str) -> Path:
        return Path(child(job, step)["outputs"][name]["path"])

    document = json.loads((output("gather_01", "ux_json") / "dashboard.json").read_text())
    tools = {"overview", "explanation", "causal", "counterfactual", "error_analysis"}
    assert set(document["tools"]) == tools
    assert document["tools"]["causal"]["details"]["effects"]
    page = output("gather_01", "dashboard") / "dashboard.html"
    assert page.stat().st_size < 5_000_000
    card = output("scorecard_01", "scorecard")
    assert (card / "scorecard.pdf").read_bytes().startswith(b"%PDF")
    assert "1 of 1 targets met" in log_of(job, "scorecard_01")

"""Azure's own Responsible AI YAML: sent as it is to Azure, answered by this project here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from tests.e2e.driver import Aml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
REGISTRY = "azureml://registries/azureml/components"

JOB = f"""
type: pipeline
inputs:
  data: {{type: uri_folder, path: ./rows}}
jobs:
  constructor:
    type: command
    component: {REGISTRY}/rai_tabular_insight_constructor/versions/0.21.0
    inputs:
      title: A small one
      task_type: classification
      model_input: {{type: mlflow_model, path: ./small-model}}
      train_dataset: ${{{{parent.inputs.data}}}}
      test_dataset: ${{{{parent.inputs.data}}}}
      target_column_name: y
  errors:
    type: command
    component: {REGISTRY}/microsoft_azureml_rai_tabular_erroranalysis/labels/latest
    inputs:
      rai_insights_dashboard: ${{{{parent.jobs.constructor.outputs.rai_insights_dashboard}}}}
      max_depth: 2
  gather:
    type: command
    component: {REGISTRY}/rai_tabular_insight_gather/versions/0.21.0
    inputs:
      constructor: ${{{{parent.jobs.constructor.outputs.rai_insights_dashboard}}}}
      insight_1: ${{{{parent.jobs.errors.outputs.error_analysis}}}}
  scorecard:
    type: command
    component: {REGISTRY}/rai_tabular_score_card/versions/0.21.0
    inputs:
      dashboard: ${{{{parent.jobs.gather.outputs.dashboard}}}}
      pdf_generation_config: {{type: uri_file, path: ./pdf_gen.json}}
"""


@pytest.mark.timeout(900)
def test_a_pipeline_of_azures_components_runs_here(aml: Aml) -> None:
    import mlflow.sklearn

    table = pd.DataFrame({"a": range(200), "b": [n * 7 % 13 for n in range(200)]}).astype(float)
    table["y"] = (table["a"] + 20 * (table["b"] > 9) > 100).map({True: "yes", False: "no"})
    fitted = LogisticRegression(max_iter=1000).fit(table[["a", "b"]], table["y"])
    mlflow.sklearn.save_model(
        fitted,
        aml.project / "small-model",
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    (aml.project / "rows").mkdir()
    table.to_csv(aml.project / "rows" / "rows.csv", index=False)
    config = {"Metrics": {"accuracy_score": {"threshold": ">=0.5"}}}
    (aml.project / "pdf_gen.json").write_text(json.dumps(config))
    (aml.project / "rai.yml").write_text(JOB)
    job = aml.job("rai.yml")
    assert job["status"] == "Completed"
    (card,) = [each for each in job["children"] if each["step"] == "scorecard"]
    assert "1 of 1 targets met" in Path(card["log"]).read_text()
    folder = Path(card["outputs"]["scorecard"]["path"])
    assert (folder / "scorecard.pdf").read_bytes().startswith(b"%PDF")


def test_azure_gets_its_own_references(aml: Aml) -> None:
    sent = json.dumps(
        aml.json(
            *("job", "create", "-f", str(ROOT / "jobs" / "responsible-ai.yml")),
            *("--target", "azure", "--dry-run", "--subscription", "s", "-g", "g", "-w", "w"),
        )
    )
    for tool in ("insight_constructor", "causal", "score_card"):
        assert f"{REGISTRY}/rai_tabular_{tool}/labels/latest" in sent
    assert "python -m raikit" not in sent


@pytest.mark.parametrize("python", ["3.10", "3.11"])
def test_microsofts_own_toolbox_resolves_in_its_environment(python: str, tmp_path: Path) -> None:
    text = (ROOT / "environments" / "responsibleai" / "conda.yml").read_text()
    lines = yaml.safe_load(text)["dependencies"][-1]["pip"]
    (tmp_path / "requirements.in").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
            *("--python-version", python, str(tmp_path / "requirements.in")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "responsibleai==0.36" in done.stdout
    assert "numpy==1." in done.stdout

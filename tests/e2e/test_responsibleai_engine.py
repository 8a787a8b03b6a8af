"""Microsoft's engine from file to dashboard, beside `RAIInsights` called by hand."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.driver import Aml

pytestmark = pytest.mark.slow

REGISTRY = "azureml://registries/azureml/components"
NAMES = '["workclass", "sex"]'

TRAIN = """
import pathlib
import sys
import mlflow.sklearn
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

data, out = sys.argv[1:]
columns = ["age", "workclass", "education_num", "hours_per_week", "sex", "income"]
train, test = (
    pd.read_parquet(f"{data}/{part}.parquet")[columns].dropna()[:rows].reset_index(drop=True)
    for part, rows in (("train", 1500), ("test", 400))
)
names = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["workclass", "sex"]), remainder=StandardScaler()
)
model = make_pipeline(names, LogisticRegression()).fit(train.drop(columns="income"), train.income)
mlflow.sklearn.save_model(model, f"{out}/model", pip_requirements=["scikit-learn"])
pathlib.Path(f"{out}/train").mkdir()
train.to_parquet(f"{out}/train/rows.parquet")
pathlib.Path(f"{out}/train/MLTable").write_text(
    "paths: [{file: ./rows.parquet}]\\ntransformations: [read_parquet]\\n"
)
test.to_parquet(f"{out}/test.parquet")
"""

JOB = """
type: pipeline
properties: {amlocal.responsible_ai.engine: responsibleai}
inputs:
  data: {type: uri_folder, path: ./data/adult-ci}
jobs:
  train:
    type: command
    code: ./training
    command: python train.py ${{inputs.data}} ${{outputs.made}}
    environment: file:environments/responsibleai/environment.yml
    inputs: {data: "${{parent.inputs.data}}"}
    outputs: {made: {type: uri_folder}}
"""

ANALYSE = f"""
type: pipeline
properties: {{amlocal.responsible_ai.engine: responsibleai}}
jobs:
  constructor:
    type: command
    component: {REGISTRY}/rai_tabular_insight_constructor/versions/0.21.0
    inputs:
      title: Adult
      task_type: classification
      model_input: {{type: mlflow_model, path: MADE/model}}
      train_dataset: {{type: mltable, path: MADE/train}}
      test_dataset: {{type: uri_file, path: MADE/test.parquet}}
      target_column_name: income
      categorical_column_names: '{NAMES}'
  errors:
    type: command
    component: {REGISTRY}/rai_tabular_erroranalysis/versions/0.21.0
    inputs:
      rai_insights_dashboard: ${{{{parent.jobs.constructor.outputs.rai_insights_dashboard}}}}
      filter_features: '["age"]'
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

#: What a user of the toolbox writes without any of this.
BY_HAND = f"""
import json, sys
import mlflow.sklearn
import pandas as pd
from responsibleai import FeatureMetadata, RAIInsights
from responsibleai.serialization_utilities import serialize_json_safe

made, dashboard, out = sys.argv[1:]
own = RAIInsights(
    mlflow.sklearn.load_model(f"{{made}}/model"),
    pd.read_parquet(f"{{made}}/train/rows.parquet"),
    pd.read_parquet(f"{{made}}/test.parquet"),
    "income",
    "classification",
    feature_metadata=FeatureMetadata(categorical_features={NAMES}),
)
own.error_analysis.add(filter_features=["age"])
own.compute()
found = {{}}
for name, each in (("own", own), ("loaded", RAIInsights.load(dashboard))):
    found[name] = serialize_json_safe(each.get_data())
json.dump(found, open(out, "w"))
"""


def steps_of(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["step"]: each for each in job["children"]}


@pytest.mark.timeout(1800)
def test_a_dashboard_is_microsofts_own(aml: Aml, tmp_path: Path) -> None:
    (aml.project / "training").mkdir()
    (aml.project / "training" / "train.py").write_text(TRAIN)
    (aml.project / "pdf_gen.json").write_text(
        '{"Metrics": {"accuracy_score": {"threshold": ">0.6"}}}'
    )
    (aml.project / "train.yml").write_text(JOB)
    trained = aml.job("train.yml")
    made = steps_of(trained)["train"]["outputs"]["made"]["path"]
    (aml.project / "rai.yml").write_text(ANALYSE.replace("MADE", made))
    job = aml.job("rai.yml")
    assert job["status"] == "Completed"
    gathered = steps_of(job)["gather"]["outputs"]
    dashboard = gathered["dashboard"]["path"]
    (python,) = [
        each
        for each in aml.home.rglob("venv/bin/python")
        if list(each.parents[1].glob("lib/*/site-packages/responsibleai"))
    ]
    script, answer = tmp_path / "by_hand.py", tmp_path / "found.json"
    script.write_text(BY_HAND)
    environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
    subprocess.run(
        [str(python), str(script), made, dashboard, str(answer)], check=True, env=environ
    )
    found = json.loads(answer.read_text())
    ux = json.loads((Path(gathered["ux_json"]["path"]) / "dashboard.json").read_text())
    (tree,) = ux["errorAnalysisData"]
    assert len(tree["tree"]) > 3
    assert tree["tree"][0]["size"] == len(ux["dataset"]["predicted_y"]) == 400
    assert ux == found["loaded"]
    by_hand = found["own"]
    # Drawn anew each time, as scikit-learn's mutual information is of which they are made.
    by_hand["errorAnalysisData"][0]["importances"] = tree["importances"]
    # Microsoft's components leave it out.
    by_hand["dataset"]["data_balance_measures"] = ux["dataset"]["data_balance_measures"]
    assert ux == by_hand
    card = steps_of(job)["scorecard"]
    assert "1 of 1 targets met" in Path(card["log"]).read_text()
    assert (Path(card["outputs"]["scorecard"]["path"]) / "scorecard.pdf").is_file()

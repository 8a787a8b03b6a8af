"""What the steps reach on the whole Adult census data, with their defaults."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from stepkit.model import load_model
from stepkit.table import read_table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / f"data/adult-{part}.parquet" for part in ("train", "test"))


def run(step: str, *arguments: object) -> float:
    """Run a step and return the seconds of processors that it and its processes took.

    What else the machine does is not in them, as it is in the time that passes.
    """
    program = ROOT / f"components/{step}/{step}.py"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "2"}
    environ.pop("MLFLOW_TRACKING_URI", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, str(program), *map(str, arguments)], env=environ, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def trained(folder: Path, *arguments: str) -> Path:
    given = ("--data", TRAIN, "--target", "income", "--ignore", "fnlwgt", "--model", folder)
    run("train", *given, *arguments)
    return folder


def test_an_explainable_boosting_machine_reaches_an_auc_of_0_925(tmp_path: Path) -> None:
    model = load_model(trained(tmp_path / "model", "--estimator", "ebm"))
    test = read_table(TEST)
    rich = list(model.estimator.classes_).index(">50K")
    scores = model.estimator.predict_proba(test[list(model.features)])[:, rich]
    assert roc_auc_score(test["income"] == ">50K", scores) >= 0.925


def test_a_model_is_explained_within_60_seconds(tmp_path: Path) -> None:
    model = trained(tmp_path / "model")
    tables = ("--train-data", TRAIN, "--test-data", TEST)
    seconds = run("explain", "--model", model, *tables, "--report", tmp_path / "report")
    assert seconds <= 60
    figures = json.loads((tmp_path / "report/figures.json").read_text())["figures"]
    assert {"explanation_agreement", "surrogate_fidelity"} <= {each["name"] for each in figures}

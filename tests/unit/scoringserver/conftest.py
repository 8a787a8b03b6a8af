"""Models to serve, saved as MLflow saves them, and the server's process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.unit.scoringserver.serving import ServerProcess, people


@pytest.fixture(scope="session")
def people_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of people into `young` and `old`, with a signature and an input example."""
    frame = people(300)
    target = np.where(frame["age"] + 3 * frame["children"] > 50, "old", "young")
    encode = ColumnTransformer(
        [("job", OneHotEncoder(handle_unknown="ignore"), ["job"])], remainder="passthrough"
    )
    model = Pipeline([("encode", encode), ("model", LogisticRegression(max_iter=500))])
    inputs = [
        ColSpec(DataType.double, "age"),
        ColSpec(DataType.string, "job", required=False),
        ColSpec(DataType.long, "children"),
    ]
    folder = tmp_path_factory.mktemp("models") / "people"
    mlflow.sklearn.save_model(
        model.fit(frame, target),
        str(folder),
        signature=ModelSignature(Schema(inputs), Schema([ColSpec(DataType.string)])),
        input_example=frame.head(5),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    return folder


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of arrays of shape (n, 4), with a signature of tensors."""
    arrays = np.random.default_rng(0).normal(size=(200, 4))
    model = LogisticRegression().fit(arrays, arrays.sum(axis=1) > 0)
    folder = tmp_path_factory.mktemp("models") / "digits"
    mlflow.sklearn.save_model(
        model,
        str(folder),
        signature=infer_signature(arrays, model.predict_proba(arrays)),
        input_example=arrays[:3],
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        pyfunc_predict_fn="predict_proba",
    )
    return folder


@pytest.fixture(scope="module")
def people_server(
    people_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """The classifier of people, served on a Unix socket."""
    socket = tmp_path_factory.mktemp("s") / "s"
    with ServerProcess.start(
        people_model, "--socket", str(socket), "--max-body", "2000000"
    ) as server:
        yield server

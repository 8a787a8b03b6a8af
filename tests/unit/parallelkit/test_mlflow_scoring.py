"""MLflow models without a script: what is read, and what the lines look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from tests.unit.parallelkit.harness import Harness

from parallelkit.mlflow_scoring import MlflowScoring

ROWS = pd.DataFrame({"x": [-2.0, 3.0, -1.0, 4.0]})


pytestmark = pytest.mark.filterwarnings("ignore:::mlflow")


@dataclass
class Loaded:
    """What `mlflow.pyfunc` loads, as far as it is used."""

    schema: Any
    predict: Callable[[Any], Any]

    @property
    def metadata(self) -> Loaded:
        return self

    def get_input_schema(self) -> Any:
        return self.schema


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of one column."""
    import mlflow.sklearn
    from mlflow.models import infer_signature

    folder = tmp_path_factory.mktemp("model") / "model"
    fitted = LogisticRegression().fit(ROWS, [0, 1, 0, 1])
    mlflow.sklearn.save_model(
        fitted,
        folder,
        signature=infer_signature(ROWS, fitted.predict(ROWS)),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    return folder


@pytest.mark.slow
def test_each_row_becomes_its_number_prediction_and_file(harness: Harness, model: Path) -> None:
    place = harness.root / "input"
    place.mkdir()
    ROWS.assign(more="of no interest").to_csv(place / "b.csv", index=False)
    ROWS.iloc[:2].to_parquet(place / "a.parquet")
    ROWS.iloc[2:].to_json(place / "c.json", orient="records")
    code, text = harness.run(
        place, None, model=str(model), mini_batch_size=2, short_fails=False, error_threshold=0
    )
    assert code == 0, text
    assert harness.output.read_text().splitlines() == [
        "0,0,a.parquet",
        "1,1,a.parquet",
        "0,0,b.csv",
        "1,1,b.csv",
        "2,0,b.csv",
        "3,1,b.csv",
        "0,0,c.json",
        "1,1,c.json",
    ]


def test_text_that_looks_like_numbers_stays_text_where_the_model_wants_text(
    tmp_path: Path,
) -> None:
    from mlflow.types import ColSpec, Schema

    def predict(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"same": rows["code"], "length": [[len(t)] for t in rows["code"]]})

    scoring = MlflowScoring(Loaded(Schema([ColSpec("string", "code")]), predict))
    file = tmp_path / "codes.csv"
    file.write_text('code\n007\n"a, b"\n')
    assert scoring.run([str(file)]) == ["0,007,[3],codes.csv", '1,"a, b",[4],codes.csv']


def test_images_have_no_row(tmp_path: Path) -> None:
    from mlflow.types import Schema, TensorSpec

    schema = Schema([TensorSpec(np.dtype("float32"), (-1, 2, 2))])
    scoring = MlflowScoring(Loaded(schema, lambda images: images.mean(axis=(1, 2))))
    Image.new("L", (2, 2), 8).save(tmp_path / "grey.png")
    assert scoring.run([str(tmp_path / "grey.png")]) == ["8.0,grey.png"]


def test_a_file_of_another_type_is_told_before_anything_is_scored(
    harness: Harness, model: Path
) -> None:
    place = harness.files(1)
    code, text = harness.run(place, None, model=str(model))
    assert code == 2
    assert "000.txt: file type .txt is not supported" in text.splitlines()[-1]


@pytest.mark.slow
def test_folders_in_the_folder_are_not_looked_into(harness: Harness, model: Path) -> None:
    place = harness.root / "input"
    (place / "below").mkdir(parents=True)
    ROWS.to_csv(place / "a.csv", index=False)
    ROWS.to_csv(place / "below" / "b.csv", index=False)
    harness.run(place, None, model=str(model), short_fails=False)
    assert "b.csv" not in harness.output.read_text()


@pytest.mark.slow
def test_rows_that_are_not_as_the_signature_says_fail_their_mini_batch(
    harness: Harness, model: Path
) -> None:
    place = harness.root / "input"
    place.mkdir()
    (place / "bad.csv").write_text("x\nword\n")
    code, text = harness.run(
        place, None, model=str(model), short_fails=False, error_threshold=0, max_retries=0
    )
    assert code == 1
    assert "Error processing input file" in text
    assert "bad.csv" in text.splitlines()[-1]

"""Scores files with an MLflow model, as Azure's batch deployments of such models without a script.

What `run` returns are lines of `row,prediction,file` for tables, one for each row, and of
`prediction,file` for images; the row is that of the file, from 0.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_IMAGES = (".png", ".jpg", ".jpeg", ".tiff", ".bmp", ".gif")
_TABLES = (".csv", ".parquet", ".pqt", ".json", ".jsonl")
#: The types of files that a model can score without a script.
READABLE = (*_TABLES, *_IMAGES)

#: pandas' types of the columns that a signature asks for, by MLflow's names: text that looks like
#: numbers, and whole numbers where fractions are meant. Other types are checked by MLflow itself.
_FRACTIONS = {"double": "float64", "float": "float32"}


class MlflowScoring:
    """An entry script that is an MLflow model.

    Args:
        model: The model as `mlflow.pyfunc` loads it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def load(cls, folder: Path) -> MlflowScoring:
        """Load the model of a folder."""
        import mlflow.pyfunc  # in the environment of the model alone, and seconds to load

        return cls(mlflow.pyfunc.load_model(str(folder)))

    def run(self, files: Sequence[str]) -> list[str]:
        """Return the predictions of files as lines of comma-separated values."""
        return [line for file in files for line in self._score(Path(file))]

    def _score(self, file: Path) -> Iterator[str]:
        schema = self._model.metadata.get_input_schema()
        is_image = file.suffix.lower() in _IMAGES
        try:
            data = _read_image(file, schema) if is_image else _read_table(file, schema)
            predicted = self._model.predict(data)
        except Exception as error:
            raise ValueError(f"Error processing input file: '{file}'. {error}") from error
        rows = list(_rows(predicted))
        if not is_image and len(rows) != len(data):
            raise ValueError(f"{file} has {len(data)} rows; the model predicted {len(rows)}")
        for number, values in enumerate(rows):
            yield _line([*([] if is_image else [number]), *values, file.name])


def _read_table(file: Path, schema: Any) -> Any:
    import pandas as pd  # in the model's environment alone

    types = _column_types(schema)
    texts: Any = {name: str for name, kind in types.items() if kind == "string"}
    readers: Mapping[str, Callable[[Path], Any]] = {
        ".csv": lambda it: pd.read_csv(it, dtype=texts),
        ".parquet": pd.read_parquet,
        ".pqt": pd.read_parquet,
        ".json": lambda it: pd.read_json(it, dtype=texts),
        ".jsonl": lambda it: pd.read_json(it, lines=True, dtype=texts),
    }
    table = readers[file.suffix.lower()](file)
    fractions = {name: _FRACTIONS[kind] for name, kind in types.items() if kind in _FRACTIONS}
    return table.astype({name: kind for name, kind in fractions.items() if name in table.columns})


def _column_types(schema: Any) -> dict[str, str]:
    """Return MLflow's types of the columns that a signature names; none of a tensor's."""
    if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
        return {}
    named = zip(schema.input_names(), schema.input_types())  # noqa: B905 - Python 3.7
    return {name: getattr(kind, "name", "") for name, kind in named}


def _read_image(file: Path, schema: Any) -> Any:
    import numpy as np  # in the model's environment alone
    from PIL import Image

    with Image.open(file) as image:
        array = np.asarray(image)
    if schema is None or not schema.is_tensor_spec():
        return array[np.newaxis]
    shape = [1 if size == -1 else size for size in schema.inputs[0].shape]
    return array.reshape(shape).astype(schema.inputs[0].type)


def _rows(predicted: Any) -> Iterable[list[Any]]:
    """Yield the values that were predicted for each row."""
    if hasattr(predicted, "itertuples"):
        return ([_plain(value) for value in row] for row in predicted.itertuples(index=False))
    return ([_plain(value)] for value in predicted)


def _plain(value: Any) -> Any:
    """Return a value as one field: lists and arrays as JSON, numbers as Python writes them."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()

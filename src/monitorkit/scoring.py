"""Predictions of a reference that has none: the monitored model is asked, once for equal rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monitorkit.reading import is_collected, table_chunks
from monitorkit.request import Data
from stepkit.model import one_column, typed_features
from stepkit.program import StepError
from stepkit.saved import features_of, read_description
from stepkit.table import as_text


def scored(data: Data) -> Data:
    """Return data with predictions, by its `model` where it has none.

    As an endpoint does, the model's `python_function` is asked. The rows are kept with what it says
    in `data.scored`, and read from there the next time.

    Raises:
        StepError: The data cannot be read, or the model cannot be loaded here or does not predict
            these rows.
    """
    if data.model is None or data.scored is None or data.prediction_column is None:
        return data
    plain, place = replace(data, model=None, scored=None), Path(data.scored)
    if not place.is_file():
        if is_collected(Path(data.path)):
            return plain
        chunks = table_chunks(Path(data.path))
        first = next(chunks, None)
        if first is None or data.prediction_column in first.column_names:
            return plain
        _write(place, _predicted(Path(data.model), chain([first], chunks), data.prediction_column))
    return replace(plain, path=str(place))


def _predicted(folder: Path, chunks: Iterator[pa.Table], name: str) -> Iterator[pa.Table]:
    import mlflow.pyfunc  # 2 s, and only where a reference has no predictions

    features = features_of(read_description(folder))
    try:
        model = mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # a pickle of other versions may raise anything
        raise StepError(
            f"the model in {folder} cannot be loaded here: {type(error).__name__}: {error}",
            hint="install what it needs beside amlocal, or give reference data with a column of "
            "predictions",
        ) from error
    for chunk in chunks:
        if not len(chunk):
            continue
        rows = typed_features(chunk.to_pandas(), features)
        try:
            said = model.predict(rows)
        except Exception as error:  # so may the model
            raise StepError(
                f"the model in {folder} does not predict the reference's rows: "
                f"{type(error).__name__}: {error}"
            ) from error
        yield chunk.append_column(name, _column(said, name))


def _column(predicted: Any, name: str) -> pa.Array:
    if isinstance(predicted, pd.DataFrame) and name in predicted.columns:
        predicted = predicted[name]
    values = pd.Series(one_column(predicted))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return pa.array(values.to_numpy(dtype=float))
    return pa.array(as_text(values), pa.string())


def _write(place: Path, chunks: Iterator[pa.Table]) -> None:
    """Write chunks as one Parquet file, which is there whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    writer: pq.ParquetWriter | None = None
    try:
        for chunk in chunks:
            if writer is None:
                writer = pq.ParquetWriter(temporary, chunk.schema)
            try:
                writer.write_table(chunk.cast(writer.schema))
            except (pa.ArrowException, ValueError) as error:
                raise StepError(
                    f"the reference's files do not have the same columns: {error}"
                ) from error
        if writer is None:
            raise StepError("the reference has no rows to predict")
        writer.close()
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        if writer is not None:
            writer.close()
        temporary.unlink(missing_ok=True)

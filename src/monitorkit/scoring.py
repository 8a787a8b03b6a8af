"""Predictions of a reference that has none: the monitored model is asked, once for equal rows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monitorkit import asking
from monitorkit.reading import is_collected, table_chunks
from monitorkit.request import Data
from stepkit.model import one_column, typed_features
from stepkit.program import StepError
from stepkit.saved import features_of, read_description
from stepkit.table import as_text


def scored(data: Data, python: str | None = None) -> Data:
    """Return data with predictions, by its `model` where it has none.

    As an endpoint does, the model's `python_function` is asked. The rows are kept with what it says
    in `data.scored`, and read from there the next time.

    Args:
        data: What may lack predictions.
        python: The interpreter that has the model's packages; None is this one.

    Raises:
        StepError: The data cannot be read, or the model cannot be loaded or does not predict these
            rows.
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
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.stem}.", dir=place.parent) as work:
            asked = chain([first], chunks)
            said = _ask(Path(data.model), asked, Path(work), python or sys.executable)
            _write(place, _predicted(said, data.prediction_column))
    return replace(plain, path=str(place))


def _ask(
    model: Path, chunks: Iterator[pa.Table], work: Path, python: str
) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    """Ask a model in its interpreter; gives the chunks that have rows with what it says of them."""
    table, rows, said, why = (work / name for name in ("table", "rows", "said", "why"))
    for folder in (table, rows, said):
        folder.mkdir()
    features = features_of(read_description(model))
    for number, chunk in enumerate(chunk for chunk in chunks if len(chunk)):
        typed = typed_features(chunk.to_pandas(), features)
        # A file each: whole numbers of one chunk may be missing in another.
        name = f"{number:06}.parquet"
        pq.write_table(chunk, table / name)
        pq.write_table(pa.Table.from_pandas(typed, preserve_index=False), rows / name)
    environ = dict(os.environ)
    if python != sys.executable:
        for name in ("PYTHONPATH", "PYTHONHOME"):
            environ.pop(name, None)
    command = [python, asking.__file__, *map(str, (model, rows, said, why))]
    code = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, check=False).returncode
    shutil.rmtree(rows)
    if code == 0:
        files = sorted(table.iterdir())
        return ((pq.read_table(f), pq.read_table(said / f.name).to_pandas()) for f in files)
    told = why.read_text(encoding="utf-8") if why.exists() else _end_of(code)
    if code == asking.NOT_LOADED:
        where = "here" if python == sys.executable else f"by {python}"
        raise StepError(
            f"the model in {model} cannot be loaded {where}: {told}",
            hint="have its environment hold what it needs, or give reference data with a column "
            "of predictions",
        )
    raise StepError(f"the model in {model} does not predict the reference's rows: {told}")


def _end_of(code: int) -> str:
    if code >= 0:
        return f"the process that asked it ended with exit code {code}"
    return f"the process that asked it was ended by {signal.Signals(-code).name}"


def _predicted(said: Iterator[tuple[pa.Table, pd.DataFrame]], name: str) -> Iterator[pa.Table]:
    for chunk, found in said:
        if len(found) != len(chunk):
            raise StepError(f"the model says {len(found)} values of {len(chunk)} rows")
        yield chunk.append_column(name, _column(found, name))


def _column(said: pd.DataFrame, name: str) -> pa.Array:
    values = pd.Series(one_column(said[name] if name in said.columns else said))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return pa.array(values.to_numpy(dtype=float))
    return pa.array(as_text(values), pa.string())


def _write(place: Path, chunks: Iterator[pa.Table]) -> None:
    """Write chunks as one Parquet file, which is there whole or not at all."""
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

"""Asks an MLflow model: `asking.py MODEL ROWS SAID WHY`.

It is run by its path in an interpreter that has the model's packages and maybe nothing of this
project, so it imports nothing of it. Each Parquet file of the folder ROWS holds rows as the model
takes them; what it says of them goes to a file of the same name in the folder SAID. Where it
cannot, the exit code is 3 if the model cannot be loaded and 4 if it does not predict, and the file
WHY says why.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Exit codes.
NOT_LOADED, NOT_PREDICTED = 3, 4


def main(arguments: Sequence[str]) -> int:
    """Ask, and return the exit code."""
    folder, rows, said, why = (Path(each) for each in arguments)
    try:
        import mlflow.pyfunc
        import numpy as np
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        model = mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # noqa: BLE001 - a pickle of other versions may raise anything
        return _told(why, error, NOT_LOADED)
    try:
        for file in sorted(rows.iterdir()):
            predicted = model.predict(pq.read_table(file).to_pandas())
            if not isinstance(predicted, (pd.DataFrame, pd.Series)):
                predicted = np.asarray(predicted)
            frame = pd.DataFrame(predicted).reset_index(drop=True)
            frame.columns = [str(name) for name in frame.columns]
            for name in frame.select_dtypes(object).columns:
                frame[name] = [_text(value) for value in frame[name]]
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), said / file.name)
    except Exception as error:  # noqa: BLE001 - so may the model
        return _told(why, error, NOT_PREDICTED)
    return 0


def _text(value: Any) -> str | None:
    """Return a label as text (as `stepkit.table.as_text`), None where it is missing."""
    if value is None or value != value:  # NaN alone differs from itself
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _told(why: Path, error: Exception, code: int) -> int:
    why.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    return code


if __name__ == "__main__":
    # This folder, whose modules would be taken for others of their names.
    del sys.path[0]
    sys.exit(main(sys.argv[1:]))

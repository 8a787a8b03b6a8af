"""Scores rows with an MLflow model: the script behind endpoints/adult/green.yml.

Runs in Azure's inference server, which calls `init` once a process and `run` for each request. The
body is Azure's for MLflow models, `{"input_data": {"columns": [...], "data": [[...]]}}` or
`{"input_data": [{...}, ...]}`; the answer is a list of predictions, as without a script.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from azureml_inference_server_http.api.aml_response import AMLResponse
from mlflow.pyfunc import PyFuncModel

log = logging.getLogger(__name__)
loaded: dict[str, PyFuncModel] = {}


class BadRequestError(ValueError):
    """The body does not hold rows that the model takes."""


def init() -> None:
    """Load the model, which lies somewhere below the folder that its variable names."""
    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    file = min(folder.rglob("MLmodel"), key=lambda path: len(path.parts), default=None)
    if file is None:
        raise FileNotFoundError(f"no MLflow model in {folder}")
    loaded["model"] = mlflow.pyfunc.load_model(str(file.parent))


def run(raw_data: str) -> list[Any] | AMLResponse:
    """Return a prediction for each row; 400 where the body is wrong, which is the caller's."""
    model = loaded["model"]
    try:
        rows = typed(model, table(raw_data))
    except BadRequestError as error:
        return AMLResponse({"error": str(error)}, 400, json_str=True)
    predictions: list[Any] = np.asarray(model.predict(rows)).tolist()
    log.info("scored %d rows", len(rows))
    return predictions


def table(body: str) -> pd.DataFrame:
    """Return the rows of a request's body.

    Raises:
        BadRequestError: It holds none.
    """
    try:
        data = json.loads(body)["input_data"]
        if isinstance(data, dict):
            rows = pd.DataFrame(data["data"], columns=data["columns"])
        else:
            rows = pd.DataFrame(data)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequestError(f"no input_data with columns and data: {error}") from error
    if rows.empty:
        raise BadRequestError("input_data has no rows")
    return rows


def typed(model: PyFuncModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the columns of the model's signature, in its types.

    JSON has one kind of number; the model tells whole ones from others.

    Raises:
        BadRequestError: A column is missing, or holds something else.
    """
    schema = model.metadata.get_input_schema()
    missing = [name for name in schema.required_input_names() if name not in rows]
    if missing:
        raise BadRequestError(f"columns are missing: {', '.join(missing)}")
    found = {}
    for column in schema.inputs:
        if column.name not in rows:
            continue
        kind = column.type.to_pandas()
        try:
            found[column.name] = rows[column.name].astype(kind)
        except (TypeError, ValueError) as error:
            message = f"column {column.name!r} must be {column.type.name}: {error}"
            raise BadRequestError(message) from error
    return pd.DataFrame(found)

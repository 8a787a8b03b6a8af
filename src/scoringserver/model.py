"""Loads an MLflow model, and says what it takes and how it is called.

`PyFuncModel.predict` checks the signature at every call (0.6 ms for one row of 14 columns).
Here that is done before (`columns`, `tensors`), so the flavor's own `predict` is called, on what
the checks of `PyFuncModel` would have returned: the same data, of the same types. Where they do
more than that (nested types, type hints), `PyFuncModel.predict` is called.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
from mlflow.exceptions import MlflowException
from mlflow.types import DataType

from scoringserver.batching import reason
from scoringserver.body import Body, Form, read_body
from scoringserver.columns import KINDS, Column, ColumnSchema
from scoringserver.errors import ModelError, RequestError
from scoringserver.given import GivenSchema, MlflowSchema
from scoringserver.parameters import Parameters
from scoringserver.part import InputSchema
from scoringserver.rowwise import is_rowwise, may_be_rowwise
from scoringserver.tensors import Tensor, TensorSchema

_log = logging.getLogger("scoringserver")

Predict = Callable[[Any, "dict[str, Any] | None"], Any]


@dataclass(frozen=True)
class Model:
    """A loaded model.

    Attributes:
        schema: What it takes.
        parameters: What it takes besides.
        call: Its predict, on what the schema assembles.
        is_rowwise: Whether requests may be put together.
        example: Its input example, where it has one that fits its signature.
        signature: MLflow's signature as a dictionary; None where it has none.
        flavor: The module that loads it.
    """

    schema: InputSchema
    parameters: Parameters
    call: Predict
    is_rowwise: bool
    example: Body | None
    signature: Mapping[str, Any] | None
    flavor: str

    def predict(self, data: Any, params: dict[str, Any] | None) -> Any:
        """Return the model's answer."""
        return self.call(data, params)


def load_model(folder: Path) -> Model:
    """Load a model and predict its input example.

    Raises:
        ModelError: It cannot be loaded; names the package that it misses.
    """
    if not (folder / "MLmodel").is_file():
        raise ModelError(f"no MLflow model in {folder}: it has no MLmodel file")
    try:
        loaded = mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"the model in {folder} needs the package {error.name!r}, which is not installed here"
        ) from error
    except (Exception, SystemExit) as error:  # the model's own code may raise anything
        raise ModelError(f"the model in {folder} cannot be loaded: {reason(error)}") from error
    return describe(loaded, folder)


def describe(loaded: Any, folder: Path) -> Model:
    """Return what a model loaded by MLflow takes, and how it is called."""
    metadata = loaded.metadata
    flavors = metadata.flavors
    schema = _input_schema(loaded)
    parameters = Parameters(metadata.get_params_schema())
    call = _call(loaded, schema)
    example = _example(metadata, folder)
    data, rows = None, 0
    if example is not None:
        try:
            part = schema.read(example)
            data, rows = schema.assemble([part]), part.rows
        except RequestError as error:
            _log.warning("the input example is left out: %s", error.message)
            example = None
    params = parameters.read(example.params if example else None)[0]
    said = may_be_rowwise(flavors, metadata.metadata or {})
    if data is not None:
        _warm(call, data, params)
    return Model(
        schema=schema,
        parameters=parameters,
        call=call,
        is_rowwise=is_rowwise(said, lambda each: call(each, params), data, rows),
        example=example,
        signature=metadata.signature.to_dict() if metadata.signature else None,
        flavor=str(loaded.loader_module),
    )


def _warm(call: Predict, data: Any, params: dict[str, Any] | None) -> None:
    """Predict the example: what the model loads at its first call is then there."""
    try:
        call(data, params)
    except (Exception, SystemExit):  # noqa: BLE001 - the model may raise anything
        # An example may be out of date without harm to anybody.
        _log.warning("the model cannot predict its input example", exc_info=True)


def _call(loaded: Any, schema: InputSchema) -> Predict:
    if not isinstance(schema, MlflowSchema):
        return _direct_call(loaded)
    return _hinted_call(loaded) if _is_hinted(loaded.metadata) else _whole_call(loaded)


def _is_hinted(metadata: Any) -> bool:
    # Not before MLflow 2.20.
    return bool(getattr(metadata, "_is_signature_from_type_hint", bool)())


def _input_schema(loaded: Any) -> InputSchema:
    metadata = loaded.metadata
    schema = metadata.get_input_schema()
    if _is_hinted(metadata):
        return MlflowSchema(parse=_read_hinted, check=lambda _: None, errors=(MlflowException,))
    if schema is None:
        return GivenSchema()
    if schema.is_tensor_spec():
        return TensorSchema(
            [Tensor(each.name or "", each.type, tuple(each.shape)) for each in schema.inputs]
        )
    kinds = [getattr(each.type, "name", "") for each in schema.inputs]
    is_plain = (
        all(isinstance(each.type, DataType) for each in schema.inputs) and set(kinds) <= KINDS
    )
    if not is_plain or getattr(metadata, "_is_type_hint_from_example", bool)():
        return _nested(schema)
    columns = [
        Column(place if each.name is None else each.name, kind, getattr(each, "required", True))
        for place, (each, kind) in enumerate(zip(schema.inputs, kinds, strict=True))
    ]
    return ColumnSchema(columns, are_named=bool(schema.has_input_names()))


def _nested(schema: Any) -> MlflowSchema:
    """Return a signature that MLflow's own server code reads and checks."""
    # 0.2 s, and only models with such a signature need it.
    from mlflow.models import validate_schema
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    return MlflowSchema(
        parse=lambda form, value: infer_and_parse_data({form: value}, schema),
        check=lambda data: validate_schema(data, schema),
        errors=(MlflowException, ValueError, TypeError, KeyError, AttributeError),
    )


def _read_hinted(form: str, value: Any) -> Any:
    """Return the input of a model with type hints, which checks it itself: as it is."""
    if form != Form.INPUTS.value:
        raise RequestError("this model takes its input as input_data or inputs")
    return value


def _whole_call(loaded: Any) -> Predict:
    """Return MLflow's own predict, with all its checks."""

    def call(data: Any, params: dict[str, Any] | None) -> Any:
        return loaded.predict(data, params=params)

    return call


def _hinted_call(loaded: Any) -> Predict:
    """Return the predict of a model with type hints: what does not fit them is the request's."""

    def call(data: Any, params: dict[str, Any] | None) -> Any:
        try:
            return loaded.predict(data, params=params)
        except MlflowException as error:
            text = " ".join(error.message.split())
            raise RequestError(f"the input does not fit the model: {text[:500]}") from error

    return call


def _direct_call(loaded: Any) -> Predict:
    """Return the flavor's own predict, as `PyFuncModel` calls it."""
    flavor = loaded.metadata.flavors[mlflow.pyfunc.FLAVOR_NAME]
    # MLflow documents this attribute as stable for developers.
    predict = getattr(loaded._model_impl, flavor.get("predict_fn", "predict"))  # noqa: SLF001
    argument = inspect.signature(predict).parameters.get("params")
    if argument and argument.kind is not inspect.Parameter.VAR_KEYWORD:
        return lambda data, params: predict(data, params=params)
    return lambda data, _: predict(data)


def _example(metadata: Any, folder: Path) -> Body | None:
    """Return a model's input example as the request that it would be."""
    facts = metadata.saved_input_example_info or {}
    try:
        if serving := facts.get("serving_input_path"):
            return read_body((folder / serving).read_bytes(), "application/json")
        if not facts.get("artifact_path"):
            return None
        # Before MLflow 2.17.
        document = json.loads((folder / facts["artifact_path"]).read_text(encoding="utf-8"))
    except (OSError, ValueError, RequestError) as error:
        _log.warning("the input example is left out: %s", error)
        return None
    if facts.get("type") == "dataframe" and isinstance(document, dict) and "data" in document:
        return Body(Form.DATAFRAME_SPLIT, document)
    if isinstance(document, dict) and "inputs" in document:
        return Body(Form.INPUTS, document["inputs"])
    return None

"""Checks tensors against a signature, and makes the arrays that the model takes.

A tensor is given as nested arrays; named ones as an object of them, or row by row as objects
(`instances`), or as the columns of a table. Values are read as the signature's dtype, where that
can hold them: whole numbers as floats, but no fraction as a whole number, and no text as a number
or number as text. Dimensions that the signature leaves open (-1) may be of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scoringserver.body import Body, Form, json_kind
from scoringserver.errors import RequestError
from scoringserver.part import Part
from scoringserver.table import is_split, read_table

Array = npt.NDArray[Any]

#: Kinds of dtypes, as NumPy reads them from JSON, that a tensor of a kind takes.
_TAKES = {"f": "iuf", "c": "iufc", "i": "iuf", "u": "iuf", "b": "b", "U": "U", "S": "U", "M": "U"}


@dataclass(frozen=True)
class Tensor:
    """One tensor of a signature.

    Attributes:
        name: Its name; empty where it is the only one and has none.
        dtype: Its values' type.
        shape: Its dimensions; -1 is any size.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"tensor {self.name!r}" if self.name else "the tensor"


class TensorSchema:
    """A signature of tensors: one without a name, or some with.

    Requests are put together along the first dimension, where that is open in all tensors.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tuple(tensors)
        self._is_open = all(each.shape and each.shape[0] == -1 for each in self.tensors)

    def read(self, body: Body) -> Part:
        """Return a request's tensors, checked.

        Raises:
            RequestError: One is missing, or not of its shape or dtype.
        """
        given = self._given(body)
        arrays = []
        for tensor in self.tensors:
            if tensor.name not in given:
                raise RequestError(f"the request lacks {tensor.label}")
            arrays.append(read_tensor(tensor, given[tensor.name]))
        rows = {len(array) if array.ndim else 1 for array in arrays}
        if 0 in rows:
            raise RequestError(f"{body.form.value} holds no row; give at least one")
        if len(rows) > 1:
            # Of one request alone: what its rows are is the model's to say.
            return Part(max(rows), arrays, None)
        key = tuple((array.shape[1:], str(array.dtype)) for array in arrays)
        return Part(rows.pop(), arrays, key if self._is_open else None)

    def assemble(self, parts: Sequence[Part]) -> Any:
        """Return the array, or the arrays by name."""
        arrays = [
            part[0] if len(part) == 1 else np.concatenate(part)
            for part in zip(*(part.content for part in parts), strict=True)
        ]
        if not self.tensors[0].name:
            return arrays[0]
        return {tensor.name: array for tensor, array in zip(self.tensors, arrays, strict=True)}

    def _given(self, body: Body) -> dict[str, Any]:
        value, only = body.value, self.tensors[0]
        is_table = body.form in (Form.CSV, Form.DATAFRAME_SPLIT, Form.DATAFRAME_RECORDS)
        is_records = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        if is_table or is_records or (body.form is Form.INPUT_DATA and is_split(value)):
            return self._from_table(body)
        if isinstance(value, dict):
            if not only.name:
                raise RequestError(
                    f"{body.form.value} must be an array: the model's tensor has no name"
                )
            return value
        if len(self.tensors) > 1:
            names = ", ".join(repr(tensor.name) for tensor in self.tensors)
            raise RequestError(
                f"{body.form.value} must be an object with the tensors {names}; "
                f"it is {json_kind(value)}"
            )
        return {only.name: value}

    def _from_table(self, body: Body) -> dict[str, Any]:
        table = read_table(body.form, body.value)
        if self.tensors[0].name:
            names = [str(name) for name in table.names or ()]
            return {name: list(values) for name, values in zip(names, table.columns, strict=False)}
        if len(table.columns) == 1 and isinstance(table.columns[0][0], list):
            return {"": list(table.columns[0])}
        return {"": [list(row) for row in zip(*table.columns, strict=True)]}


def read_tensor(tensor: Tensor, value: Any) -> Array:
    """Return nested arrays as one of a tensor's shape and dtype.

    Raises:
        RequestError: They are not of it.
    """
    try:
        found = np.array(value) if tensor.dtype.kind != "O" else _object_array(value)
    except (ValueError, OverflowError):
        raise RequestError(f"{tensor.label} must have rows of equal shape") from None
    array = _cast(tensor, found, value)
    if not _fits(tensor, array):
        raise RequestError(
            f"{tensor.label} has the shape {array.shape}; the model wants {tensor.shape}"
        )
    return array


def _object_array(value: Any) -> Array:
    try:
        return np.array(value, dtype=object)
    except ValueError:  # ragged beyond the first dimension
        array = np.empty(len(value), dtype=object)
        array[:] = value
        return array


def _fits(tensor: Tensor, array: Array) -> bool:
    if tensor.dtype.kind == "O" and tensor.shape == (-1,):
        return True  # as MLflow: rows of any shape
    return len(tensor.shape) == array.ndim and all(
        wanted in (-1, size) for wanted, size in zip(tensor.shape, array.shape, strict=True)
    )


def _cast(tensor: Tensor, found: Array, given: Any) -> Array:
    dtype = tensor.dtype
    if dtype.kind == "O" or (found.size == 0 and found.dtype.kind == "f"):
        return found.astype(dtype)
    if found.dtype.kind == "O":
        found = _without_nulls(tensor, found)
    if found.dtype.kind not in _TAKES.get(dtype.kind, ""):
        raise RequestError(f"{tensor.label} must hold {dtype.name} values; {_odd(tensor, given)}")
    try:
        with np.errstate(over="raise", invalid="raise"):
            array = found.astype(dtype)
    except (ValueError, TypeError, FloatingPointError) as error:
        raise RequestError(f"{tensor.label} must hold {dtype.name} values: {error}") from None
    if dtype.kind in "iu" and not np.array_equal(array.astype(found.dtype), found):
        raise RequestError(
            f"{tensor.label} must hold {dtype.name} values; it has a fraction, or is out of range"
        )
    return array


def _without_nulls(tensor: Tensor, found: Array) -> Array:
    """Return an array with nulls as one of floats with NaN, where the tensor is of floats."""
    kinds = {type(value) for value in found.ravel().tolist()}
    if tensor.dtype.kind == "f" and kinds <= {int, float, type(None)}:
        return found.astype(np.float64)
    return found


def _odd(tensor: Tensor, given: Any) -> str:
    """Return the first value that is of another kind than the tensor, with its place."""
    wanted: dict[str, tuple[type, ...]] = {
        "f": (int, float),
        "i": (int, float),
        "u": (int, float),
        "b": (bool,),
    }
    kinds = wanted.get(tensor.dtype.kind, (str,))
    # As given: NumPy has made texts of all, where one is.
    values = _object_array(given)
    for number, value in enumerate(values.ravel().tolist()):
        if type(value) not in kinds and not (value is None and tensor.dtype.kind == "f"):
            place = [int(each) for each in np.unravel_index(number, values.shape)]
            return f"at {place} it has {json_kind(value)}"
    return "it has values of several kinds"

"""Inputs of models whose signature is not checked here: none, or of MLflow's nested types.

Without a signature a model gets what was sent, as both Azure's and MLflow's server make it:
tables as data frames with pandas' own types, arrays as NumPy arrays, objects of arrays as
dictionaries of them. Frames and arrays of equal types may be put together.

A signature of arrays, objects, or maps, or one made from type hints, is left to MLflow, one
request at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scoringserver.body import Body, Form
from scoringserver.errors import RequestError
from scoringserver.part import Part
from scoringserver.table import is_split, read_csv

_FRAMES = (Form.DATAFRAME_SPLIT, Form.DATAFRAME_RECORDS)


class GivenSchema:
    """What a model without a signature takes: anything."""

    def read(self, body: Body) -> Part:
        """Return the input as a frame, an array, or arrays by name."""
        value = as_given(body)
        if isinstance(value, pd.DataFrame):
            types = tuple(map(str, value.dtypes))
            return Part(len(value), value, ("frame", tuple(value.columns), types))
        if isinstance(value, np.ndarray):
            key = ("array", value.shape[1:], str(value.dtype)) if value.ndim else None
            return Part(len(value) if value.ndim else 1, value, key)
        sizes = {len(each) if each.ndim else 1 for each in value.values()}
        return Part(max(sizes, default=1), value, None)

    def assemble(self, parts: Sequence[Part]) -> Any:
        """Return the inputs, one after another."""
        contents = [part.content for part in parts]
        if len(contents) == 1:
            return contents[0]
        if isinstance(contents[0], pd.DataFrame):
            return pd.concat(contents, ignore_index=True)
        return np.concatenate(contents)


class MlflowSchema:
    """A signature that MLflow checks itself.

    Args:
        parse: Makes the model's input of the form's name and its value, as MLflow's server does.
        check: Raises where the input does not fit the signature.
        errors: What both may raise.
    """

    def __init__(
        self,
        parse: Callable[[str, Any], Any],
        check: Callable[[Any], None],
        errors: tuple[type[Exception], ...],
    ) -> None:
        self._parse = parse
        self._check = check
        self._errors = errors

    def read(self, body: Body) -> Part:
        """Return the input as MLflow reads it.

        Raises:
            RequestError: It does not fit the signature, in MLflow's words.
        """
        form = body.form
        if form is Form.CSV:
            raise RequestError("the model's signature has nested types, which CSV cannot hold")
        if form is Form.INPUT_DATA:
            form = _mlflow_form(body.value)
        try:
            value = self._parse(form.value, body.value)
            self._check(value)
        except self._errors as error:
            text = " ".join(str(getattr(error, "message", error)).split())
            raise RequestError(
                f"the input does not fit the model's signature: {text[:500]}"
            ) from None
        return Part(len(value) if isinstance(value, pd.DataFrame | list) else 1, value, None)

    def assemble(self, parts: Sequence[Part]) -> Any:
        """Return the one part's input."""
        return parts[0].content


def as_given(body: Body) -> Any:
    """Return an input without regard to any signature.

    Raises:
        RequestError: It is no table, and no arrays.
    """
    form, value = body.form, body.value
    try:
        if form is Form.CSV:
            made = read_csv(value, frozenset())
        elif form is Form.DATAFRAME_SPLIT or (form is Form.INPUT_DATA and is_split(value)):
            made = _split_frame(value, form)
        elif form is Form.DATAFRAME_RECORDS or _is_records(value):
            made = pd.DataFrame(_rows(value, form))
        elif isinstance(value, dict):
            made = {name: np.asarray(each) for name, each in value.items()}
        else:
            made = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise RequestError(f"{form.value} is neither a table nor arrays: {error}") from None
    if isinstance(made, pd.DataFrame | np.ndarray) and not made.size:
        raise RequestError(f"{form.value} holds no row; give at least one")
    return made


def _mlflow_form(value: Any) -> Form:
    if is_split(value):
        return Form.DATAFRAME_SPLIT
    return Form.DATAFRAME_RECORDS if _is_records(value) else Form.INPUTS


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _rows(value: Any, form: Form) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(f"{form.value} must be an array")
    return value


def _split_frame(value: Any, form: Form) -> pd.DataFrame:
    if not is_split(value):
        raise RequestError(
            f'{form.value} must be {{"columns": [...], "index": [...], "data": [[...]]}}'
        )
    return pd.DataFrame(value["data"], index=value.get("index"), columns=value.get("columns"))

"""Reads a request's bytes: JSON or CSV, the form that they are in, the input, the parameters.

As Azure's server and MLflow's do, fields that are neither are ignored, and of a name that is given
twice the last counts. Python's clients may write NaN and Infinity bare; they are read as such.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any

import msgspec

from scoringserver.errors import MediaTypeError, RequestError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decoder = msgspec.json.Decoder()


class Form(enum.Enum):
    """How the input is given; the name is the field's."""

    INPUT_DATA = "input_data"
    DATAFRAME_SPLIT = "dataframe_split"
    DATAFRAME_RECORDS = "dataframe_records"
    INSTANCES = "instances"
    INPUTS = "inputs"
    CSV = "text/csv"

    @property
    def is_wrapped(self) -> bool:
        """Whether the answer is `{"predictions": ...}`, as MLflow answers its own forms."""
        return self is not Form.INPUT_DATA


_FIELDS = {form.value: form for form in Form if form is not Form.CSV}


@dataclass(frozen=True)
class Body:
    """A request's input, not yet looked at.

    Attributes:
        form: How it is given.
        value: JSON's values; of a CSV, its text.
        params: What was given as `params`.
    """

    form: Form
    value: Any
    params: Any = None


def read_body(data: bytes, content_type: str) -> Body:
    """Return what a request holds.

    Args:
        data: The body.
        content_type: The header; where there is none, JSON is meant.

    Raises:
        RequestError: It cannot be read.
        MediaTypeError: It is neither JSON nor CSV, or not UTF-8.
    """
    kind = _media_type(content_type)
    if kind == "text/csv":
        return Body(Form.CSV, _read_text(data))
    document = _read_json(data)
    if not isinstance(document, dict):
        raise RequestError(
            f"the body must be a JSON object with one of {', '.join(_FIELDS)}; "
            f"it is {json_kind(document)}"
        )
    named = [form for field, form in _FIELDS.items() if field in document]
    if len(named) != 1:
        given = ", ".join(repr(field)[:40] for field in list(document)[:10]) or "nothing"
        raise RequestError(
            f"the body must have exactly one of the fields {', '.join(_FIELDS)}; it has {given}"
        )
    return Body(named[0], document[named[0].value], document.get("params"))


def json_kind(value: object) -> str:
    """Return what JSON calls a value, with the value itself where that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {_short(str(value))}"
    if isinstance(value, str):
        return f"the text {_short(json.dumps(value, ensure_ascii=False))}"
    return "an array" if isinstance(value, list) else "an object"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _media_type(content_type: str) -> str:
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise MediaTypeError(f"the body must be in UTF-8, not {_short(value)}")
    if kind in ("", "application/json", "text/json", "text/csv") or kind.endswith("+json"):
        return kind
    raise MediaTypeError(
        f"the content type must be application/json or text/csv, not {_short(kind)}"
    )


def _read_json(data: bytes) -> Any:
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is no UTF-8: byte {error.start} of a text") from None
    except RecursionError:
        raise RequestError("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        if b"NaN" in data or b"Infinity" in data:
            return _read_lenient_json(data)
        if not data.strip():
            raise RequestError("the body is empty; a JSON object is wanted") from None
        raise RequestError(f"the body is no JSON: {error}") from None


def _read_lenient_json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise RequestError("the body is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, too long a number
        raise RequestError(f"the body is no JSON: {error}") from None


def _read_text(data: bytes) -> str:
    try:
        return data.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is no UTF-8: byte {error.start}") from None

"""Events of the data collector, as Azure's writes them: CloudEvents 1.0, a line each.

After "Collect production data from models deployed for real-time inferencing", which shows the
fields of rows (`model_inputs`, `model_outputs`) and of payloads (`request`, `response`).
"""

from __future__ import annotations

import time
import uuid
from typing import Any, NamedTuple

import msgspec

from amlocal import __version__
from amlocal.local.endpoints.router.redaction import UnnamedError, redacted, redacted_rows
from amlocal.local.endpoints.router.rows import Row, input_rows, output_rows

INPUTS, OUTPUTS, REQUEST, RESPONSE = "model_inputs", "model_outputs", "request", "response"
#: Larger payloads become files of their own, as Azure's do. They are not parsed either: that would
#: keep live requests waiting for the interpreter.
LARGE = 4 << 20
_AGENT = f"amlocal/{__version__}"


class Exchanged(NamedTuple):
    """A request and its answer.

    Attributes:
        endpoint: The endpoint.
        deployment: The deployment that answered.
        version: The version of its model.
        time: When it was answered, in seconds since 1970.
        request_id: The request's id.
        path: The path with the query.
        request: The request's body.
        response: The answer's body.
        headers: The headers of the request that are kept beside it.
        redacted: Columns whose values are left out.
        is_success: Whether the deployment answered with a success.
    """

    endpoint: str
    deployment: str
    version: str
    time: float
    request_id: str
    path: str
    request: bytes
    response: bytes
    headers: dict[str, str]
    redacted: frozenset[str]
    is_success: bool


class Sent(NamedTuple):
    """Rows that a scoring script sent.

    Attributes:
        endpoint: The endpoint.
        deployment: The script's deployment.
        id: The event's id.
        version: The version of the model, as the sender has it.
        time: When they were collected, in seconds since 1970.
        request_id: What the script correlates them by.
        data_type: What they were in the script.
        agent: The sender.
        attributes: What else the script says of them.
        body: The rows as JSON: a list of objects.
        redacted: Columns whose values are left out.
    """

    endpoint: str
    deployment: str
    id: str
    version: str
    time: float
    request_id: str
    data_type: str
    agent: str
    attributes: dict[str, str]
    body: bytes
    redacted: frozenset[str]


class Event(NamedTuple):
    """A line of a collection, and the file that it points to where its payload is one."""

    id: str
    fields: dict[str, Any]
    payload: bytes | None = None


class NotCollectedError(Exception):
    """A body cannot be kept: it has no rows, or what is to be left out of it cannot be found."""


def event(collection: str, exchanged: Exchanged) -> Event:
    """Return the event of one collection.

    Raises:
        NotCollectedError: There is none.
    """
    try:
        if collection in (INPUTS, OUTPUTS):
            return _event_of_rows(collection, exchanged)
        return _event_of_payload(collection, exchanged)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotCollectedError(str(error)) from error


def event_of_script(collection: str, sent: Sent) -> Event:
    """Return the event of rows that a scoring script sent.

    Raises:
        NotCollectedError: They are no rows, or what is to be left out of them cannot be found.
    """
    try:
        rows = msgspec.json.decode(sent.body, type=list[Row])
        if sent.redacted:
            # Predictions have no names; in other frames any column may be one that is left out.
            if collection != OUTPUTS and any(map(_is_unnamed, rows)):
                raise UnnamedError("the table does not name its columns")
            rows = redacted_rows(rows, sent.redacted)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotCollectedError(str(error)) from error
    data = msgspec.json.encode(rows)
    fields = {
        **({} if sent.redacted else sent.attributes),
        **_common(sent.id, collection, sent.endpoint, sent.deployment, sent.time, sent.request_id),
        "data": msgspec.Raw(data),
        "modelversion": sent.version,
        "collectdatatype": sent.data_type,
        "agent": sent.agent,
        "contentrange": _range(data),
    }
    return Event(sent.id, fields)


def _is_unnamed(row: Row) -> bool:
    """Tell whether a row has pandas's own names: 0, 1, 2, ..."""
    return all(name == str(place) for place, name in enumerate(row))


def _event_of_rows(collection: str, exchanged: Exchanged) -> Event:
    is_input = collection == INPUTS
    body = exchanged.request if is_input else exchanged.response
    if len(body) > LARGE:
        raise NotCollectedError("the body is too large to be read as rows")
    value = msgspec.json.decode(body)
    table = input_rows(value) if is_input else output_rows(value)
    if table is None:
        raise NotCollectedError("the body has no rows")
    rows = table.rows
    if exchanged.redacted:
        if is_input and not table.are_named:
            raise UnnamedError("the table does not name its columns")
        rows = redacted_rows(rows, exchanged.redacted)
    data = msgspec.json.encode(rows)
    event_id, fields = _fields(collection, exchanged)
    fields |= {
        "data": msgspec.Raw(data),
        "modelversion": exchanged.version,
        "collectdatatype": "pandas.core.frame.DataFrame",
        "agent": _AGENT,
        "contentrange": _range(data),
    }
    return Event(event_id, fields)


def _event_of_payload(collection: str, exchanged: Exchanged) -> Event:
    is_request = collection == REQUEST
    body = exchanged.request if is_request else exchanged.response
    if exchanged.redacted and not is_request and not exchanged.is_success:
        raise NotCollectedError("a message of an error may quote any value")
    event_id, fields = _fields(collection, exchanged)
    if is_request:
        fields |= {"path": exchanged.path, "method": "POST"}
        if exchanged.headers:
            fields["headers"] = exchanged.headers
    payload: bytes | None = None
    if len(body) > LARGE and not exchanged.redacted:
        payload = body
    else:
        kept = _kept(body, exchanged.redacted, is_request=is_request)
        if isinstance(kept, str):
            fields |= {"data": kept, "datacontenttype": "text/plain"}
        elif kept is not None:
            fields["data"] = kept
        else:
            payload = body
    if payload is not None:
        fields |= {"datacontenttype": "text/plain", "datainblob": "true"}
    fields["contentrange"] = _range(body)
    return Event(event_id, fields, payload)


def _kept(body: bytes, names: frozenset[str], *, is_request: bool) -> msgspec.Raw | str | None:
    """Return a payload as JSON, else as text, else None: it is binary."""
    if names:
        if len(body) > LARGE:
            raise NotCollectedError("the body is too large to be redacted")
        value = redacted(msgspec.json.decode(body), names, is_strict=is_request)
        return msgspec.Raw(msgspec.json.encode(value))
    try:
        # Decoded and encoded again, so that a line break in it does not break the line.
        return msgspec.Raw(msgspec.json.encode(msgspec.json.decode(body)))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _fields(collection: str, exchanged: Exchanged) -> tuple[str, dict[str, Any]]:
    """Return a new event's id, and the fields that all events have."""
    event_id = str(uuid.uuid4())
    return event_id, _common(
        event_id,
        collection,
        exchanged.endpoint,
        exchanged.deployment,
        exchanged.time,
        exchanged.request_id,
    )


def _common(
    event_id: str, collection: str, endpoint: str, deployment: str, seconds: float, request_id: str
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/onlineEndpoints/{endpoint}/deployments/{deployment}",
        "type": f"azureml.inference.{collection}",
        "datacontenttype": "application/json",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)),
        "correlationid": request_id,
        "xrequestid": request_id,
    }


def _range(data: bytes) -> str:
    return f"bytes 0-{max(len(data) - 1, 0)}/{len(data)}"

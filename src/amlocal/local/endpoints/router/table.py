"""The table that a router follows, as it is sent to it: JSON on one line."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from amlocal.plan.endpoint import DataCollection

_Hexadecimal = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]
_Address = Annotated[str, msgspec.Meta(pattern="^(unix:/.+|tcp:.+:[0-9]+)$")]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Auth(msgspec.Struct, frozen=True):
    """Who may ask.

    Attributes:
        mode: The endpoint's `auth_mode`.
        digests: SHA-256 of each key that opens the endpoint, in hexadecimal.
        token_key: What tokens are signed with, in hexadecimal.
    """

    mode: Literal["key", "aml_token", "aad_token"] = "key"
    digests: tuple[_Hexadecimal, ...] = ()
    token_key: _Hexadecimal = ""


class InstanceEntry(msgspec.Struct, frozen=True):
    """A process that scores; its address is `unix:/PATH` or `tcp:HOST:PORT`."""

    id: str
    address: _Address


class CollectorEntry(msgspec.Struct, frozen=True):
    """A deployment's data collector, as `plan.DataCollector`, and the folder that it writes to.

    Attributes:
        folder: The folder.
        script_key: What its scoring script sends rows with, or an empty string: it has no script,
            and the router takes the rows from requests and answers.
    """

    folder: str
    script_key: str = ""
    collections: dict[str, DataCollection] = {}
    sampling_rate: float = 1.0
    rolling_rate: Literal["year", "month", "day", "hour", "minute"] = "hour"
    capture_headers: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()


class DeploymentEntry(msgspec.Struct, frozen=True):
    """A deployment: its instances, and how many requests it takes.

    Attributes:
        instances: The processes that take requests.
        path: Where they score.
        request_timeout_ms: Milliseconds that scoring may take.
        max_concurrent_requests_per_instance: Requests that one instance scores at a time.
        max_queue_wait_ms: Milliseconds that a request may wait for an instance.
        swagger: Where they tell of their inputs, or None.
        model: `NAME:VERSION` of what they serve, or an empty string.
        collector: What is kept of requests and answers, or None.
    """

    instances: tuple[InstanceEntry, ...] = ()
    path: str = "/score"
    request_timeout_ms: _Positive = 5000
    max_concurrent_requests_per_instance: _Positive = 1
    max_queue_wait_ms: _NotNegative = 500
    swagger: str | None = None
    model: str = ""
    collector: CollectorEntry | None = None


class Table(msgspec.Struct, frozen=True):
    """All that a router follows.

    Attributes:
        revision: Counts the changes.
        endpoint: The endpoint's name.
        auth: Who may ask.
        traffic: Percent of the requests by deployment.
        mirror: Percent of the requests that a deployment gets a copy of.
        deployments: By name.
    """

    revision: int
    endpoint: str
    auth: Auth
    traffic: dict[str, int] = {}
    mirror: dict[str, int] = {}
    deployments: dict[str, DeploymentEntry] = {}


_decoder = msgspec.json.Decoder(Table)


def read_table(line: bytes) -> Table:
    """Return the table of a line.

    Raises:
        msgspec.MsgspecError: The line is not a table; the message holds no value of it.
    """
    return _decoder.decode(line)

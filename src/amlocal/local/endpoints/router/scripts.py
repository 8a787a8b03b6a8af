"""What scoring scripts collect: taken where Azure has a container that does nothing else.

The package `azureml-ai-monitoring` posts each frame to `http://HOST:PORT/modeldata/log`, where it
finds host and port in the environment (its `config.py` and `sender.py`). `requests`, which it posts
with, makes a basic authorization of what stands before an `@` in the host, so that an instance
needs nothing else to say who it is.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from typing import Any, NamedTuple

from amlocal.local.endpoints.router import answers
from amlocal.local.endpoints.router.answers import Answer
from amlocal.local.endpoints.router.bodies import (
    Bodies,
    ClientGoneError,
    Receive,
    TooLargeError,
    TooMuchError,
)
from amlocal.local.endpoints.router.collector import MAX_BYTES, PAYLOADS, Collector
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.events import LARGE, Sent
from amlocal.local.endpoints.router.routes import Routes
from amlocal.local.endpoints.router.table import CollectorEntry

#: Where the package posts to.
PATH = "/modeldata/log"
_TYPE = "azureml.inference."
#: Headers that are fields of an event under a name of their own; without `ce-` and dashes.
_OWN = frozenset({"time", "type", "xrequestid", "modelversion", "collectdatatype", "agent"})
#: Fields that no script can set.
_FIXED = frozenset(
    {"specversion", "id", "source", "datacontenttype", "data", "correlationid", "contentrange"}
)


class _Sender(NamedTuple):
    """An instance that sends, known by its key."""

    deployment: Deployment
    entry: CollectorEntry
    instance: str


class ScriptRows:
    """Takes the rows that scoring scripts collect.

    Args:
        routes: Knows the deployments.
        collector: Keeps the rows.
    """

    def __init__(self, routes: Routes, collector: Collector) -> None:
        self._routes = routes
        self._collector = collector
        self._bodies = Bodies(LARGE, MAX_BYTES)

    async def answer(self, scope: dict[str, Any], receive: Receive) -> Answer | None:
        """Take what a script sends; None where it went away meanwhile.

        The status says what became of it: 202 it is kept or was not drawn, 400 it cannot be read,
        401 an instance of this endpoint did not send it, 404 the deployment does not collect it,
        413 or 503 there is no room for it.
        """
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] != "POST":
            return answers.no_such_method(b"POST")
        sender = self._sender(headers.get(b"authorization", ""))
        if sender is None:
            return answers.text(401, "no instance of this endpoint has this key")
        collection = _collection(sender.entry, headers.get(b"ce-type", ""))
        if collection is None:
            return answers.text(404, "the deployment does not enable this collection")
        counts = sender.deployment.counts
        try:
            body = await self._bodies.read(_length(headers), receive)
        except ClientGoneError:
            return None
        except TooLargeError:
            self._collector.drop(counts, [collection])
            return answers.text(413, f"at most {LARGE} bytes are collected at once")
        except TooMuchError:
            self._collector.drop(counts, [collection])
            return answers.text(503, "too much is being collected")
        try:
            return self._keep(sender, collection, headers, body)
        finally:
            self._bodies.release(body)

    def _sender(self, authorization: str) -> _Sender | None:
        """Return who sends; an instance is known by its id, `DEPLOYMENT-NUMBER`, and its key."""
        kind, _, encoded = authorization.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            instance, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        name, _, number = instance.rpartition("-")
        if not number.isdecimal():  # it names a file
            return None
        deployment = self._routes.find(name)
        entry = deployment.entry.collector if deployment is not None else None
        known = entry.script_key if entry is not None else ""
        if not known or not hmac.compare_digest(known.encode(), key.encode()):
            return None
        assert deployment is not None
        assert entry is not None
        return _Sender(deployment, entry, instance)

    def _keep(
        self, sender: _Sender, collection: str, headers: dict[bytes, str], body: bytes
    ) -> Answer:
        if headers.get(b"content-type", "").partition(";")[0] != "application/json":
            return answers.text(400, "only JSON is collected: unset AZUREML_MDC_FORMAT_COMPACT")
        try:
            seconds = float(headers.get(b"ce-time", ""))
        except ValueError:
            return answers.text(400, "ce-time is no number")
        # What a clock cannot show would name no folder.
        if not 0 <= seconds < 2**33:
            return answers.text(400, "ce-time is not in seconds since 1970")
        event_id = headers.get(b"trace-id") or str(uuid.uuid4())
        sent = Sent(
            endpoint=self._routes.endpoint,
            deployment=sender.deployment.name,
            id=event_id,
            version=headers.get(b"ce-model-version", "default"),
            time=seconds,
            request_id=headers.get(b"ce-x-request-id") or event_id,
            data_type=headers.get(b"ce-collect-data-type", ""),
            agent=headers.get(b"ce-agent", ""),
            attributes=_attributes(headers),
            body=body,
            redacted=frozenset(sender.entry.redacted),
        )
        if self._collector.take(sender.deployment, sender.entry, sender.instance, collection, sent):
            return answers.text(202, "taken")
        return answers.text(503, "too much is being collected")


def _length(headers: dict[bytes, str]) -> bytes | None:
    length = headers.get(b"content-length")
    return None if length is None else length.encode()


def _collection(entry: CollectorEntry, event_type: str) -> str | None:
    """Return the collection of an event as the deployment spells it; None where it is not for it.

    As in the package, capitals do not count.
    """
    if not event_type.startswith(_TYPE):
        return None
    wanted = event_type.removeprefix(_TYPE).lower()
    found = (name for name in entry.collections if name.lower() == wanted and name not in PAYLOADS)
    name = next(found, None)
    return name if name is not None and entry.collections[name].enabled else None


def _attributes(headers: dict[bytes, str]) -> dict[str, str]:
    """Return what the script's context adds, named as CloudEvents names its attributes."""
    found = {}
    for header, value in headers.items():
        if header.startswith(b"ce-"):
            name = header[3:].decode("latin-1").replace("-", "")
            if name not in _OWN | _FIXED:
                found[name] = value
    return found

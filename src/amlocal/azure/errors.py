"""Azure's errors as amlocal's: what went wrong in a line or two, and what to do next."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from marshmallow import ValidationError

from amlocal.azure.sdk import quiet
from amlocal.errors import AmlocalError, NotFoundError, Problem, SpecError, TargetError, UsageError

_LONGEST = 400  # characters of a message; the SDK's own run to thousands
_MOST_PROBLEMS = 12
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_SIGN_IN = (
    "run `az login` (and `az account set --subscription NAME`), or set AZURE_TENANT_ID, "
    "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
)
_ROLE = "ask for the role 'AzureML Data Scientist' on the workspace"
_NAMES = "check the name, and the subscription, resource group, and workspace that are used"
_NETWORK = "check the network, a proxy (HTTPS_PROXY), and that the workspace can be reached"
_AGAIN = "try again in a minute; https://azure.status.microsoft tells of outages"


@contextlib.contextmanager
def azure_errors(doing: str, *, file: str = "") -> Iterator[None]:
    """Turn whatever the SDK raises into an AmlocalError, and keep the SDK quiet meanwhile.

    Args:
        doing: What was being done, as in `could not DOING`.
        file: The file that the user named, where there is one.
    """
    with translated(doing, file=file), quiet():
        yield


@contextlib.contextmanager
def translated(doing: str, *, file: str = "") -> Iterator[None]:
    """Do as `azure_errors`, and leave stdout and stderr alone: for what takes minutes."""
    try:
        yield
    except AmlocalError:
        raise
    # The SDK lets errors of every kind out (KeyError, AttributeError, ... on what it did not
    # expect), and none of them may reach the user as a traceback.
    except Exception as error:
        raise translate(error, doing, file=file) from error


def translate(error: Exception, doing: str, *, file: str = "") -> AmlocalError:
    """Return the AmlocalError for an error of the SDK."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, AmlocalError):
            return link
        if isinstance(link, HttpResponseError):
            return _of_response(link, doing)
        if isinstance(link, (ServiceRequestError, ServiceResponseError)):
            return TargetError(f"could not {doing}: {_short(link)}", hint=_NETWORK)
    schema = [link for link in chain if isinstance(link, ValidationError)]
    if schema:
        return SpecError(_problems(_fields(schema), file))
    message = _innermost_message(chain)
    if _is_users(chain):
        return SpecError(_problems(list(_written(message)) or [("", message)], file))
    return TargetError(
        f"could not {doing}: {type(error).__name__}: {_short(message)}",
        hint=_NAMES,
    )


def no_workspace(asked: str) -> TargetError:
    """Return the error for what a dry run cannot know."""
    return TargetError(
        f"a dry run has no workspace to ask: {asked}",
        hint="dry runs show what would be created; leave --dry-run away for the rest",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, the outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _of_response(error: HttpResponseError, doing: str) -> AmlocalError:
    """Return the AmlocalError for an answer of a service."""
    said = f"could not {doing}: {_service_message(error)}"
    status = error.status_code
    if isinstance(error, ClientAuthenticationError) or status == 401:
        return TargetError(said, hint=_SIGN_IN)
    if isinstance(error, ResourceNotFoundError) or status == 404:
        return NotFoundError(said, hint=_NAMES)
    if isinstance(error, ResourceExistsError) or status == 409:
        return UsageError(said, hint="choose another name or version")
    if status == 403:
        return TargetError(said, hint=_ROLE)
    if status in {400, 405, 412, 413, 422}:
        return UsageError(said, hint="change what the message names, and send it again")
    return TargetError(said, hint=_AGAIN)


def _service_message(error: HttpResponseError) -> str:
    """Return the sentence of a service's answer, without its repetitions."""
    details = getattr(error, "error", None)
    message = getattr(details, "message", None)
    return _short(message or error.message or error)


def _is_users(chain: list[BaseException]) -> bool:
    """Whether the SDK holds the user's file or arguments to be at fault."""
    kinds = {"ValidationException", "UserErrorException", "EmptyDirectoryError"}
    return any(
        type(link).__name__ in kinds or getattr(link, "error_category", "") == "UserError"
        for link in chain
    )


def _innermost_message(chain: list[BaseException]) -> str:
    """Return the message of the first cause that the SDK gave one to: the least wrapped."""
    for link in reversed(chain):
        message = getattr(link, "message", "")
        if isinstance(message, str) and message:
            return message
    return str(chain[0])


def _fields(errors: list[ValidationError]) -> list[tuple[str, str]]:
    """Return path and message of each wrong field, from the error that says most of which."""
    for error in reversed(errors):
        leaves = list(_leaves(error.messages, ""))
        if leaves and all(path for path, _ in leaves):
            return leaves
    return list(_written(str(errors[0]))) or [("", str(errors[0]))]


def _problems(fields: list[tuple[str, str]], file: str) -> list[Problem]:
    """Return one problem for each path and message."""
    return [
        Problem(f"{path}: {_short(message)}" if path else _short(message), file=file)
        for path, message in fields[:_MOST_PROBLEMS]
    ]


def _leaves(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each message in marshmallow's nested form."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(messages, (list, tuple)):
        for value in messages:
            yield from _leaves(value, path)
    else:
        yield path, str(messages)


def _written(text: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of the errors in the JSON that the SDK writes into a message."""
    start = text.find("{")
    if start < 0:
        return
    try:
        report, _ = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError:
        return
    for entry in report.get("errors", ()):
        yield str(entry.get("path", "")).strip("*"), str(entry.get("message", ""))


def _short(message: object) -> str:
    """Return a message on one line, without colours, and not longer than a reader reads."""
    text = " ".join(_COLOUR.sub("", str(message)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

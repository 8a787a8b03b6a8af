"""The SDK's own loaders, silenced, and their failures told as located problems."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from amlocal.errors import Problem
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place

_LONGEST_MESSAGE = 200
#: What the SDK puts into some of its messages.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK from writing: its loggers, and its warnings of experimental classes."""
    logger = logging.getLogger("azure.ai.ml")
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]


def load(kind: str, place: Place, findings: Findings) -> Any:
    """Load a document as `azure.ai.ml.load_KIND` does.

    What the document says is handed to the step after the reading of YAML, which the SDK does with
    the slow loader: for a job of a thousand steps that is seconds.

    Args:
        kind: `job`, `component`, `environment`, `data`, `model`, `online_deployment`, ...
        place: The document.
        findings: Where the SDK's complaints go; the result is None then.
    """
    document = place.document
    # The SDK takes the folder of this path for what relative paths are relative to.
    file = document.file or document.folder / "settings"
    with quiet():
        from azure.ai.ml import entities  # seconds: only a file that passed the checks is worth it

        entity = getattr(entities, "".join(word.capitalize() for word in kind.split("_")))
        try:
            return entity._load(data=copy.deepcopy(document.data), yaml_path=str(file))  # noqa: SLF001
        except _failures() as error:
            findings.add(_problems(error, place))
            return None


def _failures() -> tuple[type[Exception], ...]:
    """What the SDK is known to raise for a file that it cannot take."""
    from azure.ai.ml.exceptions import MlException  # loaded already
    from marshmallow import ValidationError

    return (
        MlException,
        ValidationError,
        yaml.YAMLError,
        OSError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    )


def _problems(error: BaseException, place: Place) -> list[Problem]:
    """Return a failure as problems, each at its field."""
    from marshmallow import ValidationError  # loaded already

    hint = "compare with the field's reference in Azure ML's YAML schema"
    cause: BaseException | None = error
    while cause is not None:
        messages = getattr(cause, "messages", None)
        if isinstance(cause, ValidationError) and isinstance(messages, dict):
            found = list(_leaves(messages, ()))
            if found:
                return [
                    place.at(*path).problem(f"Azure's client refuses this: {said}", hint)
                    for path, said in found
                ]
        cause = cause.__context__
    return [place.problem(f"Azure's client refuses this: {_short(str(error))}", hint)]


def _leaves(messages: object, path: tuple[str | int, ...]) -> Iterator[tuple[Any, str]]:
    """Yield the shortest message of every field, of a tree of messages of union branches."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            inner = path if name in {"_schema", "value"} else (*path, name)
            yield from _leaves(below, inner)
    elif isinstance(messages, list):
        texts = [item for item in messages if isinstance(item, str)]
        if texts:
            yield path, _short(min(texts, key=len))
        else:
            branches = [list(_leaves(item, path)) for item in messages]
            yield from min((b for b in branches if b), key=len, default=[])
    else:
        yield path, _short(str(messages))


def _short(message: str) -> str:
    line = " ".join(_COLOUR.sub("", message).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 3] + "..."

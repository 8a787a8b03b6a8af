"""Loads endpoints and deployments: checks first, then the SDK's loaders, then the plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.errors import UsageError
from amlocal.plan import BatchDeployment, BatchEndpoint, OnlineDeployment, OnlineEndpoint
from amlocal.spec import build_endpoint as build
from amlocal.spec import convert_endpoint as convert
from amlocal.spec import overrides, sdk
from amlocal.spec.check_batch_deployment import check_model_deployment, form_of
from amlocal.spec.check_endpoint import check_batch_endpoint, check_kind, check_online_endpoint
from amlocal.spec.check_online_deployment import check_online_deployment
from amlocal.spec.compiler import require_mapping
from amlocal.spec.entities import base
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, Place
from amlocal.spec.paths import Files
from amlocal.spec.pipeline_deployment import pipeline_deployment
from amlocal.spec.source import AssetSource

#: What flags say: values by field, None where a flag is not given.
Flags = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets one kind of file apart.

    Attributes:
        what: The kind, with its article.
        classes: The SDK's classes of it.
        loader: The SDK's loader, as `sdk.load` names it.
        check: Checks its fields and the files that it names.
        turn: Turns an object of the SDK, relative to a folder, into its YAML fields.
    """

    what: str
    classes: frozenset[str]
    loader: str
    check: Callable[[Findings, Files, Place, Any], None]
    turn: Callable[[Any, Path], dict[str, Any]]


_ONLINE_ENDPOINT = Kind(
    "an online endpoint",
    frozenset({"OnlineEndpoint"}),
    "online_endpoint",
    check_online_endpoint,
    convert.online_endpoint_mapping,
)
_BATCH_ENDPOINT = Kind(
    "a batch endpoint",
    frozenset({"BatchEndpoint"}),
    "batch_endpoint",
    check_batch_endpoint,
    convert.batch_endpoint_mapping,
)
_ONLINE_DEPLOYMENT = Kind(
    "an online deployment",
    frozenset({"OnlineDeployment"}),
    "online_deployment",
    check_online_deployment,
    convert.online_deployment_mapping,
)
_BATCH_DEPLOYMENT = Kind(
    "a batch deployment",
    frozenset({"BatchDeployment"}),
    "model_batch_deployment",
    check_model_deployment,
    convert.batch_deployment_mapping,
)


def online_endpoint(source: Any, settings: Sequence[str], flags: Flags) -> OnlineEndpoint:
    """Load an online endpoint; see `amlocal.spec.load_online_endpoint`."""
    document = opened(source, settings, flags, _ONLINE_ENDPOINT)
    fields, findings = _loaded(source, document, _ONLINE_ENDPOINT)
    for field in ("traffic", "mirror_traffic"):
        if document.data.get(field) == {}:
            fields[field] = {}  # ends all traffic; the SDK's objects cannot tell it from none
    return build.online_endpoint(fields, source=document.name, warnings=findings.warnings)


def batch_endpoint(source: Any, settings: Sequence[str], flags: Flags) -> BatchEndpoint:
    """Load a batch endpoint; see `amlocal.spec.load_batch_endpoint`."""
    document = opened(source, settings, flags, _BATCH_ENDPOINT)
    fields, findings = _loaded(source, document, _BATCH_ENDPOINT)
    return build.batch_endpoint(fields, source=document.name, warnings=findings.warnings)


def online_deployment(source: Any, settings: Sequence[str], flags: Flags) -> OnlineDeployment:
    """Load an online deployment; see `amlocal.spec.load_online_deployment`."""
    document = opened(source, settings, flags, _ONLINE_DEPLOYMENT)
    fields, findings = _loaded(source, document, _ONLINE_DEPLOYMENT)
    folder, warnings = document.folder, findings.warnings
    return build.online_deployment(fields, folder, source=document.name, warnings=warnings)


def batch_deployment(
    source: Any, settings: Sequence[str], flags: Flags, assets: AssetSource | None = None
) -> BatchDeployment:
    """Load a batch deployment; see `amlocal.spec.load_batch_deployment`."""
    document = opened(source, settings, flags, _BATCH_DEPLOYMENT)
    form = form_of(document.data)
    if form == "pipeline":
        return pipeline_deployment(document, assets)
    kind = _BATCH_DEPLOYMENT
    if form == "old":
        kind = dataclasses.replace(kind, loader="batch_deployment")
    fields, findings = _loaded(source, document, kind)
    folder, warnings = document.folder, findings.warnings
    return build.batch_deployment(fields, folder, source=document.name, warnings=warnings)


def opened(source: Any, settings: Sequence[str], flags: Flags, kind: Kind) -> Document:
    """Return the fields of a file or an object, changed as settings and flags say.

    Args:
        source: A file, an object of the SDK, or None for what settings and flags alone say.
        settings: `a.b=c`.
        flags: What stands for fields of the file.
        kind: What it must be.

    Raises:
        SpecError: It is no YAML, or a file of another kind.
        UsageError: A setting is wrong, or the object is of another kind.
    """
    if source is None:
        written = Document(name="", data={}, folder=Path.cwd())
    elif isinstance(source, Path):
        written = Files().document(source)
    elif {kind.__name__ for kind in type(source).__mro__} & kind.classes:
        folder = base(source)
        with sdk.quiet():
            written = Document(name="", data=kind.turn(source, folder), folder=folder)
    else:
        hint = f"give a path, or {kind.what} of azure.ai.ml.entities"
        raise UsageError(f"this {type(source).__name__} is not {kind.what}", hint=hint)
    document = overrides.give(overrides.apply(written, settings), flags)
    findings = Findings(first=document.name)
    findings.add(document.problems)
    require_mapping(findings, document)
    check_kind(findings, document.place, document.data, kind.what)
    return document


def _loaded(source: Any, document: Document, kind: Kind) -> tuple[dict[str, Any], Findings]:
    """Return the fields of a document as the SDK reads them, all of it checked.

    Raises:
        SpecError: Something is wrong; holds every problem.
    """
    findings = Findings(first=document.name)
    findings.add(document.problems)
    kind.check(findings, Files(), document.place, document.data)
    findings.raise_problems()
    if source is not None and not isinstance(source, Path):
        return dict(document.data), findings
    loaded = sdk.load(kind.loader, _with_model_named(document).place, findings)
    findings.raise_problems()
    fields = kind.turn(loaded, document.folder)
    if isinstance(document.data.get("model"), Mapping):
        fields["model"]["name"] = document.data["model"].get("name")
    return fields, findings


def _with_model_named(document: Document) -> Document:
    """Name an inline model that has no name, since the SDK would read all of its files for one."""
    model = document.data.get("model")
    if not isinstance(model, Mapping):
        return document
    named = {"name": document.data["name"], **model}
    return dataclasses.replace(document, data={**document.data, "model": named})


#: What loads each kind of file.
LOADERS: Mapping[str, Callable[[Any, Sequence[str], Flags], object]] = {
    "online endpoint": online_endpoint,
    "online deployment": online_deployment,
    "batch endpoint": batch_endpoint,
    "batch deployment": batch_deployment,
}

"""Checks endpoints and the names of endpoints and deployments: what Azure finds late, or never."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from amlocal.plan.endpoint_name import NAME_HINT, may_be_name
from amlocal.plan.traffic import traffic_problems
from amlocal.spec import build
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.paths import Files
from amlocal.spec.structure import check_object

#: What files of the other kinds are, by the name of their schema in lower case.
_SCHEMAS = {
    "kubernetesonlineendpoint": "an online endpoint",
    "managedonlineendpoint": "an online endpoint",
    "onlineendpoint": "an online endpoint",
    "kubernetesonlinedeployment": "an online deployment",
    "managedonlinedeployment": "an online deployment",
    "onlinedeployment": "an online deployment",
    "batchendpoint": "a batch endpoint",
    "batchdeployment": "a batch deployment",
    "modelbatchdeployment": "a batch deployment",
    "pipelinecomponentbatchdeployment": "a batch deployment",
}
_COMMANDS = {
    "an online endpoint": "online-endpoint",
    "an online deployment": "online-deployment",
    "a batch endpoint": "batch-endpoint",
    "a batch deployment": "batch-deployment",
}


def check_kind(findings: Findings, place: Place, data: Mapping[str, Any], what: str) -> None:
    """Check that the file's schema is of the kind that was asked for.

    Args:
        findings: Where problems go.
        place: The file.
        data: Its fields.
        what: The kind, as in `an online endpoint`.

    Raises:
        SpecError: It is of another kind; none of its fields would make sense.
    """
    named = re.search(r"([A-Za-z]+)\.schema\.json", build.text(data.get("$schema")))
    found = _SCHEMAS.get(named[1].lower()) if named else None
    if found is not None and found != what:
        hint = f"aml {_COMMANDS[found]} create -f {place.document.name}"
        findings.problem(place.at("$schema"), f"this is {found}, not {what}", hint)
        findings.raise_problems()


def check_online_endpoint(findings: Findings, _files: Files, place: Place, data: Any) -> None:
    """Check an online endpoint."""
    if "compute" in data:
        message = "an endpoint on Kubernetes does not run here, only a managed one"
        findings.unsupported(place.at("compute"), message, "remove compute:")
        return
    check_object(findings, place, data, "online_endpoint")
    check_name(findings, place, data, "name", "endpoint")
    mode = build.text(data.get("auth_mode")).lower().replace("_", "")
    if mode.endswith("token"):
        message = "Tokens are signed by this workspace; nobody signs in."
        findings.warn("online_endpoint.auth_mode", message)
    rules = [_percentages(data.get(field)) for field in ("traffic", "mirror_traffic")]
    for problem in traffic_problems(*rules):
        findings.problem(place.at(*problem.field), problem.message, problem.hint)
    for field, percentages in zip(("traffic", "mirror_traffic"), rules, strict=True):
        for name in percentages:
            _check_name(findings, place.at(field, name), name, "deployment")


def check_batch_endpoint(findings: Findings, _files: Files, place: Place, data: Any) -> None:
    """Check a batch endpoint."""
    check_object(findings, place, data, "batch_endpoint")
    check_name(findings, place, data, "name", "endpoint")
    mode = build.text(data.get("auth_mode"))
    if mode.lower() in {"key", "aml_token", "amltoken"}:
        message = f"a batch endpoint has no {mode!r}"
        findings.problem(place.at("auth_mode"), message, "write auth_mode: aad_token")
    default = build.mapping(data.get("defaults")).get("deployment_name")
    if isinstance(default, str):
        _check_name(findings, place.at("defaults", "deployment_name"), default, "deployment")


def check_name(
    findings: Findings, place: Place, data: Mapping[str, Any], field: str, what: str
) -> None:
    """Check that a file, or a flag, names an endpoint or a deployment as Azure has it.

    Args:
        findings: Where problems go.
        place: The file.
        data: Its fields.
        field: `name` or `endpoint_name`.
        what: `endpoint` or `deployment`.
    """
    name = data.get(field)
    if name is None and field not in data:
        flag = f"--{field.replace('_', '-')}"
        missing = f"the {what} has no name" if field == "name" else "nothing names the endpoint"
        findings.problem(place, missing, f"add {field}:, or pass {flag}")
    elif isinstance(name, str):
        _check_name(findings, place.at(field), name, what)


def _check_name(findings: Findings, place: Place, name: str, what: str) -> None:
    if may_be_name(name):
        return
    article = "an" if what == "endpoint" else "a"
    message = f"{name!r} cannot be the name of {article} {what}"
    findings.problem(place, message, NAME_HINT)


def _percentages(value: object) -> dict[str, int]:
    """Return the whole numbers of a mapping; others are told of by the check of its structure."""
    given = build.mapping(value)
    return {
        name: build.integer(percent, 0)
        for name, percent in given.items()
        if (found := build.number(percent)) is not None and math.isfinite(found)
    }

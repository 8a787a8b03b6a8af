"""Checks a batch deployment of a model, in today's form and in the one before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlocal.spec import build
from amlocal.spec.check_deployment import Bounds, check_numbers, check_serving
from amlocal.spec.check_endpoint import check_name
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.paths import Files
from amlocal.spec.structure import check_object

_SETTINGS: Mapping[str, Bounds] = {
    "mini_batch_size": (1, None),
    "max_concurrency_per_instance": (1, None),
    "error_threshold": (-1, None),
    "instance_count": (1, None),
}
_RETRIES: Mapping[str, Bounds] = {"max_retries": (0, None), "timeout": (1, None)}


def form_of(data: Mapping[str, Any]) -> str:
    """Return which form a batch deployment has: `model`, `pipeline`, or `old`.

    As the Azure CLI, which goes by `type`; a file without one is of the form before it, unless it
    has fields that this form has not.
    """
    kind = build.text(data.get("type")).lower()
    if kind in {"model", "pipeline"}:
        return kind
    schema = build.text(data.get("$schema")).lower()
    if {"component", "job_definition"} & data.keys() or "pipelinecomponentbatch" in schema:
        return "pipeline"
    return "model" if "settings" in data or "modelbatch" in schema else "old"


def check_model_deployment(findings: Findings, files: Files, place: Place, data: Any) -> None:
    """Check a batch deployment of a model and the files that it names."""
    is_old = form_of(data) == "old"
    check_object(findings, place, data, "batch_deployment" if is_old else "model_batch_deployment")
    check_name(findings, place, data, "name", "deployment")
    check_name(findings, place, data, "endpoint_name", "endpoint")
    check_serving(findings, files, place, data, may_be_container=False)
    resources = data.get("resources")
    check_numbers(findings, place.at("resources"), resources, {"instance_count": (1, None)})
    at = place if is_old else place.at("settings")
    settings = build.mapping(data if is_old else data.get("settings"))
    check_numbers(findings, at, settings, _SETTINGS)
    check_numbers(findings, at.at("retry_settings"), settings.get("retry_settings"), _RETRIES)
    _check_output(findings, at, settings)
    if resources is not None and "instance_count" in settings:
        # BatchDeployment._setup_instance_count of azure.ai.ml.
        message = "resources and settings.instance_count both say how many instances there are"
        findings.problem(at.at("instance_count"), message, "keep resources.instance_count")
    action = build.text(settings.get("output_action")).lower()
    if "code_configuration" not in data and action == "summary_only":
        message = "without a scoring script, the predictions of 'summary_only' would be lost"
        findings.problem(at.at("output_action"), message, "write append_row")


def _check_output(findings: Findings, at: Place, settings: Mapping[str, Any]) -> None:
    name = settings.get("output_file_name")
    if not isinstance(name, str):
        return
    if build.text(settings.get("output_action")).lower() == "summary_only":
        # BatchDeployment._validate_output_action of azure.ai.ml.
        message = "with output_action: summary_only, no file is written"
        findings.problem(at.at("output_file_name"), message, "remove output_file_name:")
    elif not re.fullmatch(r"[^/\\]+", name) or name in {".", ".."}:
        message = f"{name!r} cannot be the name of a file"
        findings.problem(at.at("output_file_name"), message, "write a name without a folder")

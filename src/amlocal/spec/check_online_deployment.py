"""Checks an online deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlocal.errors import near_miss
from amlocal.spec import build
from amlocal.spec.build_endpoint import REDACT
from amlocal.spec.check_deployment import Bounds, check_numbers, check_serving, is_container
from amlocal.spec.check_endpoint import check_name
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.paths import Files
from amlocal.spec.structure import check_object

#: Milliseconds that a managed online endpoint waits for an answer at most.
LONGEST_REQUEST = 180_000

#: What is collected without a script that does it.
COLLECTIONS = ("model_inputs", "model_outputs", "request", "response")

_REQUESTS: Mapping[str, Bounds] = {
    "request_timeout_ms": (1, LONGEST_REQUEST),
    "max_concurrent_requests_per_instance": (1, None),
    "max_queue_wait_ms": (0, LONGEST_REQUEST),
}
_PROBE: Mapping[str, Bounds] = {
    "initial_delay": (0, None),
    "period": (1, None),
    "timeout": (1, None),
    "success_threshold": (1, None),
    "failure_threshold": (1, None),
}


def check_online_deployment(findings: Findings, files: Files, place: Place, data: Any) -> None:
    """Check an online deployment and the files that it names."""
    if build.text(data.get("type")).lower() == "kubernetes":
        message = "a deployment on Kubernetes does not run here, only a managed one"
        findings.unsupported(place.at("type"), message, "write type: managed, or leave it out")
        return
    check_object(findings, place, data, "online_deployment")
    check_name(findings, place, data, "name", "deployment")
    check_name(findings, place, data, "endpoint_name", "endpoint")
    check_serving(findings, files, place, data, may_be_container=True)
    environment = data.get("environment")
    if "model_mount_path" in data and isinstance(environment, Mapping | None):
        _check_mount(findings, environment)
    check_numbers(findings, place, data, {"instance_count": (1, None)})
    check_numbers(findings, place.at("request_settings"), data.get("request_settings"), _REQUESTS)
    for probe in ("liveness_probe", "readiness_probe"):
        check_numbers(findings, place.at(probe), data.get(probe), _PROBE)
    _check_collector(findings, place, data)


def _check_mount(findings: Findings, environment: Mapping[str, Any] | None) -> None:
    if not is_container(environment):
        field = "online_deployment.model_mount_path"
        findings.warn(field, "Only custom containers have it; the model is in AZUREML_MODEL_DIR.")


def _check_collector(findings: Findings, place: Place, data: Mapping[str, Any]) -> None:
    collector = build.mapping(data.get("data_collector"))
    check_numbers(findings, place.at("data_collector"), collector, {"sampling_rate": (0, 1)})
    at = place.at("data_collector", "collections")
    for name in build.mapping(collector.get("collections")):
        in_container = is_container(data.get("environment"))
        has_script = data.get("code_configuration") is not None and not in_container
        if not has_script and name not in COLLECTIONS:
            where = "in a container" if in_container else "without a scoring script"
            message = f"{where}, nothing collects {name!r}"
            findings.problem(at.at(name), message, near_miss(name, COLLECTIONS))
    tags = build.mapping(data.get("tags"))
    if REDACT not in tags:
        return
    said = tags[REDACT]
    if not isinstance(said, str) or not all(column.strip() for column in said.split(",")):
        message = f"the tag {REDACT!r} must be a list of columns, not {said!r}"
        findings.problem(place.at("tags", REDACT), message, "separate them by commas: age, sex")
    elif not collector:
        findings.warn(f"tags.{REDACT}", "Nothing is collected, and so nothing is left out.")

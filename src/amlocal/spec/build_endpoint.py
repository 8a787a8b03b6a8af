"""Builds the plan values of endpoints and deployments from the mappings that a YAML file holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from amlocal.plan import (
    BatchDeployment,
    BatchEndpoint,
    BatchSettings,
    DataCollection,
    DataCollector,
    Environment,
    Input,
    Job,
    ModelSource,
    OnlineDeployment,
    OnlineEndpoint,
    ProbeSettings,
    RequestSettings,
    Warned,
)
from amlocal.spec import build

#: The tag of a deployment that names the columns which its data collector leaves out.
REDACT = "amlocal.redact"


def online_endpoint(
    value: Mapping[str, Any], *, source: str, warnings: tuple[Warned, ...]
) -> OnlineEndpoint:
    """Build an online endpoint; Azure takes names in any case, and keeps them in lower case."""
    return OnlineEndpoint(
        **_described(value),
        auth_mode=_mode(value.get("auth_mode"), "key"),
        traffic=_percentages(value.get("traffic")),
        mirror_traffic=_percentages(value.get("mirror_traffic")),
        source=source,
        warnings=warnings,
    )


def batch_endpoint(
    value: Mapping[str, Any], *, source: str, warnings: tuple[Warned, ...]
) -> BatchEndpoint:
    """Build a batch endpoint."""
    default = build.text(build.mapping(value.get("defaults")).get("deployment_name")).lower()
    return BatchEndpoint(
        **_described(value),
        auth_mode=_mode(value.get("auth_mode"), "aad_token"),
        default_deployment=default or None,
        source=source,
        warnings=warnings,
    )


def online_deployment(
    value: Mapping[str, Any], folder: Path, *, source: str, warnings: tuple[Warned, ...]
) -> OnlineDeployment:
    """Build an online deployment."""
    return OnlineDeployment(
        **_described(value),
        **_served(value, folder),
        environment_variables=build.texts(value.get("environment_variables")),
        instance_count=build.integer(value.get("instance_count"), 1),
        instance_type=build.text(value.get("instance_type")),
        request_settings=_requests(value.get("request_settings")),
        liveness_probe=_probe(value.get("liveness_probe")),
        readiness_probe=_probe(value.get("readiness_probe")),
        data_collector=_collector(value),
        model_mount_path=build.text(value.get("model_mount_path")),
        source=source,
        warnings=warnings,
    )


def batch_deployment(
    value: Mapping[str, Any], folder: Path, *, source: str, warnings: tuple[Warned, ...]
) -> BatchDeployment:
    """Build a batch deployment of a model."""
    settings = build.mapping(value.get("settings"))
    resources = build.mapping(value.get("resources"))
    count = build.integer(settings.get("instance_count"), 1)
    return BatchDeployment(
        **_described(value),
        **_served(value, folder),
        compute=build.text(value.get("compute")).removeprefix("azureml:") or None,
        instance_count=build.integer(resources.get("instance_count"), count),
        settings=_batch_settings(settings),
        source=source,
        warnings=warnings,
    )


def pipeline_deployment(
    value: Mapping[str, Any],
    job: Job,
    inputs: Mapping[str, Input],
    *,
    source: str,
    warnings: tuple[Warned, ...],
) -> BatchDeployment:
    """Build a batch deployment of a pipeline that takes these inputs."""
    return BatchDeployment(
        **_described(value),
        endpoint_name=build.text(value.get("endpoint_name")).lower(),
        compute=job.settings.default_compute,
        pipeline=job,
        pipeline_inputs=dict(inputs),
        source=source,
        warnings=warnings,
    )


class _Described(TypedDict):
    name: str
    description: str
    tags: dict[str, str]
    properties: dict[str, str]


class _Served(TypedDict):
    endpoint_name: str
    model: ModelSource | None
    code: str | None
    scoring_script: str | None
    environment: Environment | None


def _described(value: Mapping[str, Any]) -> _Described:
    return _Described(
        name=build.text(value.get("name")).lower(),
        description=build.text(value.get("description")),
        tags=build.texts(value.get("tags")),
        properties=build.texts(value.get("properties")),
    )


def _served(value: Mapping[str, Any], folder: Path) -> _Served:
    code = build.mapping(value.get("code_configuration"))
    path = build.text(code.get("code"))
    return _Served(
        endpoint_name=build.text(value.get("endpoint_name")).lower(),
        model=_model(value.get("model"), folder),
        code=build.local_path(path, folder) if path else None,
        scoring_script=build.text(code.get("scoring_script")) or None,
        environment=build.environment(value.get("environment"), folder),
    )


def _model(value: Any, folder: Path) -> ModelSource | None:
    if isinstance(value, str):
        return ModelSource(reference=value)
    fields = build.mapping(value)
    if not fields:
        return None
    return ModelSource(
        path=build.local_path(build.text(fields.get("path")), folder),
        type=build.text(fields.get("type")).lower() or "custom_model",
        name=build.text(fields.get("name")),
        version=build.text_or_none(fields.get("version")),
    )


def _requests(value: Any) -> RequestSettings:
    fields, default = build.mapping(value), RequestSettings()

    def given(name: str, otherwise: int) -> int:
        return build.integer(fields.get(name), otherwise)

    return RequestSettings(
        request_timeout_ms=given("request_timeout_ms", default.request_timeout_ms),
        max_concurrent_requests_per_instance=given(
            "max_concurrent_requests_per_instance", default.max_concurrent_requests_per_instance
        ),
        max_queue_wait_ms=given("max_queue_wait_ms", default.max_queue_wait_ms),
    )


def _probe(value: Any) -> ProbeSettings:
    fields, default = build.mapping(value), ProbeSettings()

    def given(name: str, otherwise: float) -> int:
        return build.integer(fields.get(name), int(otherwise))

    return ProbeSettings(
        initial_delay=given("initial_delay", default.initial_delay),
        period=given("period", default.period),
        timeout=given("timeout", default.timeout),
        success_threshold=given("success_threshold", default.success_threshold),
        failure_threshold=given("failure_threshold", default.failure_threshold),
    )


def _collector(deployment: Mapping[str, Any]) -> DataCollector | None:
    fields = build.mapping(deployment.get("data_collector"))
    if not fields:
        return None
    default = DataCollector(collections={})
    rate = build.number(fields.get("sampling_rate"))
    headers = build.mapping(fields.get("request_logging")).get("capture_headers")
    redacted = build.texts(deployment.get("tags")).get(REDACT, "")
    return DataCollector(
        collections={
            name: _collection(found)
            for name, found in build.mapping(fields.get("collections")).items()
        },
        sampling_rate=default.sampling_rate if rate is None else rate,
        rolling_rate=build.text(fields.get("rolling_rate")).lower() or default.rolling_rate,
        capture_headers=tuple(map(str, headers)) if isinstance(headers, list) else (),
        redacted=tuple(column.strip() for column in redacted.split(",") if column.strip()),
    )


def _collection(value: Any) -> DataCollection:
    fields = build.mapping(value)
    data = fields.get("data")
    asset = build.mapping(data)
    name, version = build.text(asset.get("name")), build.text(asset.get("version"))
    named = ":".join(filter(None, (name, version))) if name else ""
    return DataCollection(
        enabled=build.typed(fields.get("enabled"), "boolean") is True,
        data=build.text(data).removeprefix("azureml:") or named,
    )


def _batch_settings(fields: Mapping[str, Any]) -> BatchSettings:
    default, retries = BatchSettings(), build.mapping(fields.get("retry_settings"))
    timeout = build.number(retries.get("timeout"))

    def given(name: str, otherwise: int) -> int:
        return build.integer(fields.get(name), otherwise)

    return BatchSettings(
        mini_batch_size=given("mini_batch_size", default.mini_batch_size),
        max_concurrency_per_instance=given(
            "max_concurrency_per_instance", default.max_concurrency_per_instance
        ),
        error_threshold=given("error_threshold", default.error_threshold),
        output_action=build.text(fields.get("output_action")).lower() or default.output_action,
        output_file_name=build.text(fields.get("output_file_name")) or default.output_file_name,
        max_retries=build.integer(retries.get("max_retries"), default.max_retries),
        timeout=default.timeout if timeout is None else timeout,
        logging_level=build.text(fields.get("logging_level")).upper() or default.logging_level,
        environment_variables=build.texts(fields.get("environment_variables")),
    )


def _percentages(value: Any) -> dict[str, int] | None:
    if not isinstance(value, Mapping):
        return None
    return {name.lower(): build.integer(said, 0) for name, said in build.mapping(value).items()}


def _mode(value: Any, default: str) -> str:
    said = build.text(value).lower().replace("_", "")
    return {"amltoken": "aml_token", "aadtoken": "aad_token"}.get(said, said) or default

"""Endpoints and deployments as their files give them, with Azure's defaults."""

from __future__ import annotations

from amlocal.plan.base import Value
from amlocal.plan.environment import Environment
from amlocal.plan.job import Job, Warned
from amlocal.plan.ports import Input


class OnlineEndpoint(Value, frozen=True):
    """An online endpoint.

    Attributes:
        name: Its name, unique in the workspace.
        auth_mode: `key`, `aml_token`, or `aad_token`.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        traffic: Percent of the requests by deployment; None leaves what there is.
        mirror_traffic: Percent of the requests that one deployment gets a copy of; None leaves it.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file the local target does not do in full.
    """

    name: str
    auth_mode: str = "key"
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    traffic: dict[str, int] | None = None
    mirror_traffic: dict[str, int] | None = None
    source: str = ""
    warnings: tuple[Warned, ...] = ()


class RequestSettings(Value, frozen=True):
    """How many requests a deployment takes, and for how long.

    Attributes:
        request_timeout_ms: Milliseconds that scoring may take; then 408.
        max_concurrent_requests_per_instance: Requests that one instance scores at a time.
        max_queue_wait_ms: Milliseconds that a request may wait for an instance; then 408.
    """

    request_timeout_ms: int = 5000
    max_concurrent_requests_per_instance: int = 1
    max_queue_wait_ms: int = 500


class ProbeSettings(Value, frozen=True):
    """How an instance is asked whether it is well; all times in seconds."""

    initial_delay: float = 10
    period: float = 10
    timeout: float = 2
    success_threshold: int = 1
    failure_threshold: int = 30


class DataCollection(Value, frozen=True):
    """One collection of a deployment's data collector.

    Attributes:
        enabled: Whether anything is collected.
        data: The data asset that it is registered as, `NAME:VERSION`, or an empty string.
        sampling_rate: Share of the requests that is collected, 0 to 1; None is the collector's.
    """

    enabled: bool = True
    data: str = ""
    sampling_rate: float | None = None


class DataCollector(Value, frozen=True):
    """What a deployment keeps of its requests and answers.

    Attributes:
        collections: By name: `model_inputs`, `model_outputs`, `request`, `response`, or what the
            scoring script collects.
        sampling_rate: Share of the requests that is collected, 0 to 1.
        rolling_rate: How often a new file is begun: `year`, `month`, `day`, `hour`, or `minute`.
        capture_headers: Headers of the request that are kept beside it.
        redacted: Columns whose values are left out; Azure's files have no field for it, so it is
            the deployment's tag `amlocal.redact`, a list separated by commas.
    """

    collections: dict[str, DataCollection]
    sampling_rate: float = 1.0
    rolling_rate: str = "hour"
    capture_headers: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()


class ModelSource(Value, frozen=True):
    """The model that a deployment serves.

    Attributes:
        reference: A registered model (`azureml:NAME:VERSION`, `azureml:NAME@latest`, a registry's
            address), or an empty string where `path` says where it is.
        path: Absolute path of the model's file or folder, or an address.
        type: `custom_model`, `mlflow_model`, or `triton_model`; of a registered model, what is
            registered.
        name: The name that an inline model gives itself, or an empty string.
        version: The version that an inline model gives itself, or None.
    """

    reference: str = ""
    path: str = ""
    type: str = "custom_model"
    name: str = ""
    version: str | None = None


class OnlineDeployment(Value, frozen=True):
    """A managed online deployment.

    Attributes:
        name: Its name, unique in its endpoint.
        endpoint_name: Its endpoint.
        model: What it serves, or None (a scoring script alone).
        code: Absolute path of the folder of the scoring script, or None.
        scoring_script: Path of the script in `code`, or None: an MLflow model needs none.
        environment: What the script needs, or None: the MLflow model's own.
        environment_variables: Set for its processes.
        instance_count: How many processes serve it.
        instance_type: The machine that Azure runs it on.
        request_settings: How many requests it takes, and for how long.
        liveness_probe: When an instance is replaced.
        readiness_probe: When an instance gets requests.
        data_collector: What it keeps of requests and answers, or None.
        model_mount_path: Where a container of its own finds the model, or an empty string: where
            Azure's images do.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file the local target does not do in full.
    """

    name: str
    endpoint_name: str
    model: ModelSource | None = None
    code: str | None = None
    scoring_script: str | None = None
    environment: Environment | None = None
    environment_variables: dict[str, str] = {}
    instance_count: int = 1
    instance_type: str = ""
    request_settings: RequestSettings = RequestSettings()
    liveness_probe: ProbeSettings = ProbeSettings()
    readiness_probe: ProbeSettings = ProbeSettings()
    data_collector: DataCollector | None = None
    model_mount_path: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    source: str = ""
    warnings: tuple[Warned, ...] = ()


class BatchEndpoint(Value, frozen=True):
    """A batch endpoint.

    Attributes:
        name: Its name, unique in the workspace.
        auth_mode: `aad_token`, the only one that Azure has.
        default_deployment: The deployment that `invoke` uses, or None.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file the local target does not do in full.
    """

    name: str
    auth_mode: str = "aad_token"
    default_deployment: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    source: str = ""
    warnings: tuple[Warned, ...] = ()


class BatchSettings(Value, frozen=True):
    """How a model scores files, with the defaults of Azure's model deployments.

    Attributes:
        mini_batch_size: Files a call of `run`.
        max_concurrency_per_instance: Processes on one instance.
        error_threshold: Files that may fail before the job does; -1 is any number.
        output_action: `append_row` or `summary_only`.
        output_file_name: The file that rows are appended to.
        max_retries: How often a mini-batch is tried again.
        timeout: Seconds that a mini-batch may take.
        logging_level: `DEBUG`, `INFO`, `WARNING`, `ERROR`, or `CRITICAL`.
        environment_variables: Set for the processes.
    """

    mini_batch_size: int = 10
    max_concurrency_per_instance: int = 1
    error_threshold: int = -1
    output_action: str = "append_row"
    output_file_name: str = "predictions.csv"
    max_retries: int = 3
    timeout: float = 30
    logging_level: str = "INFO"
    environment_variables: dict[str, str] = {}


class BatchDeployment(Value, frozen=True):
    """A batch deployment, of a model or of a pipeline.

    Attributes:
        name: Its name, unique in its endpoint.
        endpoint_name: Its endpoint.
        model: What it scores with; None of a pipeline.
        code: Absolute path of the folder of the scoring script, or None.
        scoring_script: Path of the script in `code`, or None: an MLflow model needs none.
        environment: What the script needs, or None: the MLflow model's own.
        compute: Where Azure runs it.
        instance_count: Nodes.
        settings: How a model scores files.
        pipeline: The pipeline that it runs, its inputs bound as far as the file binds them,
            or None.
        pipeline_inputs: The inputs that the pipeline declares, by name.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file the local target does not do in full.
    """

    name: str
    endpoint_name: str
    model: ModelSource | None = None
    code: str | None = None
    scoring_script: str | None = None
    environment: Environment | None = None
    compute: str | None = None
    instance_count: int = 1
    settings: BatchSettings = BatchSettings()
    pipeline: Job | None = None
    pipeline_inputs: dict[str, Input] = {}
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    source: str = ""
    warnings: tuple[Warned, ...] = ()

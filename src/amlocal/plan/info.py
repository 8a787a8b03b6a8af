"""What a workspace tells of its jobs and assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from amlocal.plan.base import Value
from amlocal.plan.ports import Scalar
from amlocal.plan.status import JobStatus


class InputInfo(Value, frozen=True):
    """What a job's input was.

    Attributes:
        type: A data type or a literal type.
        value: The literal, or None.
        path: Where the data is, or None.
        digest: SHA-256 of the data's content, or an empty string.
    """

    type: str
    value: Scalar | None = None
    path: str | None = None
    digest: str = ""


class OutputInfo(Value, frozen=True):
    """What a job wrote.

    Attributes:
        type: A data type.
        path: Where it is on this machine (or its address in Azure).
        uri: Its `azureml://` address.
        digest: SHA-256 of its content, or an empty string while it is not complete.
        asset: `NAME:VERSION` where it was registered.
    """

    type: str
    path: str
    uri: str = ""
    digest: str = ""
    asset: str | None = None


class Tracking(Value, frozen=True):
    """The five things that are tracked of a job, and where.

    Each of the five is a JSON object, or None where it is absent; `absent` then says why.

    Attributes:
        uri: Address of the MLflow tracking server.
        experiment_id: The MLflow experiment.
        run_id: The MLflow run.
        data: Data sets by input name: name, digest, source, schema.
        code: Folder, hash, git commit, whether the tree was dirty.
        environment: Name, version by its content, hash, interpreter, where its package list is.
        model: Models that the job wrote or registered.
        serving: Deployments of those models.
        absent: Why each of the five that is None is absent.
        component: What it runs: name, version, and the version that its content gives it.
    """

    uri: str = ""
    experiment_id: str = ""
    run_id: str = ""
    data: dict[str, Any] | None = None
    code: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
    serving: dict[str, Any] | None = None
    absent: dict[str, str] = {}
    component: dict[str, Any] | None = None


class TrialInfo(Value, frozen=True):
    """What a trial of a sweep, or of an AutoML job, tries.

    Attributes:
        number: Its number, from 0.
        parameters: The values that it tries, by name.
        value: The best value of the metric that it has logged, or None.
        is_best: Whether it is the one that is delivered, once the search has ended.
        algorithm: Of AutoML: what it trains, by Azure's name; else an empty string.
    """

    number: int
    parameters: dict[str, Scalar] = {}
    value: float | None = None
    is_best: bool = False
    algorithm: str = ""


class SearchInfo(Value, frozen=True):
    """What a search over trials has found.

    Attributes:
        metric: The metric that its trials are judged by.
        goal: `minimize` or `maximize`.
        max_total_trials: How many trials it may have.
        best_trial: Name of the best trial's job, or an empty string.
        value: The best trial's value of the metric, or None.
        parameters: The best trial's parameters.
    """

    metric: str
    goal: str
    max_total_trials: int = 0
    best_trial: str = ""
    value: float | None = None
    parameters: dict[str, Scalar] = {}


class SweepInfo(SearchInfo, frozen=True):
    """What a sweep has found."""


class Guardrail(Value, frozen=True):
    """What AutoML has checked of its data.

    Attributes:
        check: What was looked at.
        state: `passed`, `fixed`, `done`, or `alerted`.
        detail: What was found, and what was done about it.
    """

    check: str
    state: str
    detail: str = ""


class AutoMLInfo(SearchInfo, frozen=True):
    """What an AutoML job has found.

    Attributes:
        task: `classification`, `regression`, or `forecasting`.
        algorithm: The best trial's algorithm, by Azure's name, or an empty string.
        reason: Why this trial's model and no other is delivered.
        stopped_because: `max_trials`, `timeout`, `exit_score`, `early_termination`, or
            `exhausted`; an empty string while it runs.
        validation: How models are compared: `type`, `folds`, `rows`.
        guardrails: What was checked of the data.
        test_metrics: The delivered model's metrics on test rows, where there are any.
    """

    task: str = ""
    algorithm: str = ""
    reason: str = ""
    stopped_because: str = ""
    validation: dict[str, Any] = {}
    guardrails: tuple[Guardrail, ...] = ()
    test_metrics: dict[str, float] = {}


class MonitorBreach(Value, frozen=True):
    """A signal of a monitor that breaches.

    Attributes:
        signal: The signal's name.
        type: Its type.
        metric: Of its metrics that breach the one that is farthest from what chance explains.
        feature: The feature that this one is of, or an empty string.
        value: Its value.
        threshold: What it is beyond.
        rows: Of production that it is of.
        features: How many features breach.
        alert_enabled: Whether that is an event.
    """

    signal: str
    type: str
    metric: str
    value: float
    threshold: float
    feature: str = ""
    rows: int = 0
    features: int = 0
    alert_enabled: bool = False


class MonitorInfo(Value, frozen=True):
    """What a monitor's run has found.

    Attributes:
        monitor: The monitor's name.
        slot: The moment that it is seen from, ISO 8601 in UTC.
        verdict: `ok`, `breach`, or `insufficient`; `failed` where a signal could not be computed
            and no other breaches.
        note: What came of it, in a line.
        endpoint: Of the deployment that is monitored, or an empty string.
        deployment: Likewise.
        model: `NAME:VERSION` of what is monitored, its path where it is not registered, or empty.
        report: Path of its `report.md`.
        breaches: Signals that breach.
    """

    monitor: str
    slot: str
    verdict: str
    note: str = ""
    endpoint: str = ""
    deployment: str = ""
    model: str = ""
    report: str = ""
    breaches: tuple[MonitorBreach, ...] = ()


class JobInfo(Value, frozen=True):
    """A job, a step of one, or a trial of a search, as the workspace knows it.

    Attributes:
        name: Its unique name.
        type: `command`, `pipeline`, `sweep`, or `automl`.
        status: Its state.
        display_name: What people read.
        experiment_name: The MLflow experiment.
        description: What it does.
        parent: Name of the pipeline job that it is a step of, or of the search that it is a trial
            of, or None.
        step: Its name in that pipeline, or None.
        component: `NAME:VERSION` of what it runs, or an empty string.
        compute: Where it runs.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        inputs: What it was given.
        outputs: What it wrote.
        metrics: The last value of each metric that it logged.
        params: The parameters that it logged.
        children: Its steps in the order of the file, or its trials.
        tracking: The five things tracked.
        creation_time: When it was created, ISO 8601 in UTC.
        start_time: When it began to run, or an empty string.
        end_time: When it ended, or an empty string.
        duration: Seconds from start to end, or to now.
        reused_from: Name of the job whose results it took over, or None.
        error: Why it failed, or an empty string.
        error_code: As Azure ML's errors have it: `UserError` where the job's own command or values
            failed, `SystemError` where the machine, an environment, or the tracking server did.
        log: Path of its `user_logs/std_log.txt` (or address), or an empty string.
        page: Address of its page in Azure ML studio, or an empty string; a local job's page is its
            run in MLflow's, which `tracking` tells.
        source: The file that it was read from.
        warnings: What of the file the target does not do in full.
        archived: Whether it is hidden from lists.
        sweep: What it has found, where it is a sweep.
        automl: What it has found, where it is an AutoML job.
        trial: What it tries, where it is a trial of a sweep or of an AutoML job.
        monitor: What it has found, where it is a monitor's run.
    """

    name: str
    type: str
    status: JobStatus
    display_name: str = ""
    experiment_name: str = ""
    description: str = ""
    parent: str | None = None
    step: str | None = None
    component: str = ""
    compute: str = "local"
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    inputs: dict[str, InputInfo] = {}
    outputs: dict[str, OutputInfo] = {}
    metrics: dict[str, float] = {}
    params: dict[str, str] = {}
    children: tuple[JobInfo, ...] = ()
    tracking: Tracking = Tracking()
    creation_time: str = ""
    start_time: str = ""
    end_time: str = ""
    duration: float = 0.0
    reused_from: str | None = None
    error: str = ""
    error_code: str = ""
    log: str = ""
    page: str = ""
    source: str = ""
    warnings: tuple[str, ...] = ()
    archived: bool = False
    sweep: SweepInfo | None = None
    automl: AutoMLInfo | None = None
    trial: TrialInfo | None = None
    monitor: MonitorInfo | None = None

    def tree(self) -> Iterator[JobInfo]:
        """Yield the job and everything below it, each before what is below it."""
        yield self
        for child in self.children:
            yield from child.tree()

    @property
    def search(self) -> SearchInfo | None:
        """What it has found, where it is a search over trials."""
        return self.automl or self.sweep

    @property
    def label(self) -> str:
        """What it is called beside others of its job."""
        return self.step or (self.display_name if self.trial is not None else self.name)


def best_trial(goal: str, trials: Iterable[JobInfo]) -> JobInfo | None:
    """Return the best of the trials that have completed, or None; of equals the first.

    Args:
        goal: `minimize` or `maximize`.
        trials: Trials of one search. Where it has ended, the one that it delivers is the best:
            AutoML prefers a single model to an ensemble that is better by less than the noise.
    """
    trials = list(trials)
    chosen = [info for info in trials if info.trial is not None and info.trial.is_best]
    if chosen:
        return chosen[0]
    sign = 1 if goal == "minimize" else -1
    rated = [
        (sign * info.trial.value, info.trial.number, info)
        for info in trials
        if info.status is JobStatus.COMPLETED and info.trial and info.trial.value is not None
    ]
    return min(rated)[2] if rated else None


class StepReuse(Value, frozen=True):
    """Why a step was reused or ran.

    Attributes:
        step: The step.
        reused_from: Name of the job whose results it took over, or None.
        reason: One sentence.
        changed: The facts of the fingerprint that differ from the nearest earlier run, each as
            `fact: before -> now`.
    """

    step: str
    reason: str
    reused_from: str | None = None
    changed: tuple[str, ...] = ()


class AssetInfo(Value, frozen=True):
    """A registered component, environment, data asset, or model.

    Attributes:
        kind: `component`, `environment`, `data`, or `model`.
        name: Its name.
        version: Its version.
        type: What kind of component (`command`, `pipeline`), data (`uri_file`, ...), or model.
        path: Where its content is, or an empty string.
        description: What it is.
        tags: Free labels.
        properties: What the workspace keeps beside it; for a model also its lineage.
        aliases: A model's aliases.
        digest: SHA-256 of its content.
        creation_time: When it was created, ISO 8601 in UTC.
        archived: Whether it is hidden from lists.
        definition: The compiled component or environment, as JSON values.
    """

    kind: str
    name: str
    version: str
    type: str = ""
    path: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    digest: str = ""
    creation_time: str = ""
    archived: bool = False
    definition: dict[str, Any] | None = None


class WorkspaceInfo(Value, frozen=True):
    """A local workspace and its processes.

    Attributes:
        path: Its folder.
        jobs: How many jobs it holds.
        running: Names of jobs that run.
        tracking_uri: Address of the MLflow server, or an empty string while it is down.
        processes: Process id and what it is.
        bytes: Disk that it takes.
    """

    path: str
    jobs: int = 0
    running: tuple[str, ...] = ()
    tracking_uri: str = ""
    processes: dict[str, str] = {}
    bytes: int = 0

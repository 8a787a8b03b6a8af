"""Jobs: what is submitted, compiled to values that an engine can run."""

from __future__ import annotations

from amlocal.plan.automl import AutoML
from amlocal.plan.base import Value
from amlocal.plan.component import Component
from amlocal.plan.monitoring import Monitoring
from amlocal.plan.ports import Binding, JobBinding, Output
from amlocal.plan.sweep import Sweep


class Step(Value, frozen=True):
    """One child of a pipeline job, or the one thing that any other job runs.

    Attributes:
        name: Its name in the job; the step of a job that is no pipeline is named as its job's
            display name, or as the job's type.
        component: What it runs; of an AutoML search, its inputs and outputs, and no command.
        inputs: What each input of the component is given; one that is optional, or that has a
            default, may be absent.
        outputs: How each output is settled: the component's declaration overlaid with what the
            step and, where it is promoted, the job say of it. Holds every output.
        display_name: What people read, or an empty string.
        description: What it does.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        environment_variables: Set for the command.
        compute: Where Azure would run it; the local target runs it here.
        timeout: Seconds after which it is ended and Failed, or None.
        services: Interactive services asked for, by name to type (Azure only).
        identity: The identity asked for (Azure only).
        sweep: What makes it a sweep, whose trials run the component, or None.
        automl: What makes it an AutoML search, or None.
        monitor: What makes it a monitor's run, or None; its inputs are found when it runs.
    """

    name: str
    component: Component
    inputs: dict[str, Binding] = {}
    outputs: dict[str, Output] = {}
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    environment_variables: dict[str, str] = {}
    compute: str | None = None
    timeout: float | None = None
    services: dict[str, str] = {}
    identity: str | None = None
    sweep: Sweep | None = None
    automl: AutoML | None = None
    monitor: Monitoring | None = None


class OutputSource(Value, frozen=True):
    """Which step's output a pipeline's output is."""

    step: str
    output: str


class Settings(Value, frozen=True):
    """`settings:` of a pipeline job, with Azure's defaults."""

    default_compute: str | None = None
    default_datastore: str = "workspaceblobstore"
    continue_on_step_failure: bool = True
    force_rerun: bool = False


class Warned(Value, frozen=True):
    """A field that the local target approximates or ignores, to be said when the job starts."""

    field: str
    message: str


class Job(Value, frozen=True):
    """A compiled job.

    Attributes:
        type: `command`, `pipeline`, `sweep`, or `automl`.
        steps: A pipeline's children in the order of the file; else the job's single step.
        name: The name that the file or a flag gives, or None (one is made up).
        display_name: What people read, or an empty string.
        experiment_name: The MLflow experiment.
        description: What it does.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        inputs: What the job is given, by name. A single step takes every one of them as a
            `ParentInput` of the same name.
        outputs: A pipeline's outputs by name (others are their step's).
        output_sources: Which step's output each pipeline output is.
        settings: A pipeline's settings.
        source: The file that it was read from, as the user named it, or an empty string.
        warnings: What of the file the local target does not do in full.
    """

    type: str
    steps: tuple[Step, ...]
    experiment_name: str
    name: str | None = None
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    inputs: dict[str, JobBinding] = {}
    outputs: dict[str, Output] = {}
    output_sources: dict[str, OutputSource] = {}
    settings: Settings = Settings()
    source: str = ""
    warnings: tuple[Warned, ...] = ()

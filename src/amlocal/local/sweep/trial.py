"""One trial of a sweep: a step whose parameters are set, a job and a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from amlocal.local.inputs import StepInputs
from amlocal.local.runs import RunTracking
from amlocal.local.step import StepRun
from amlocal.local.sweep.policies import best_of
from amlocal.plan import JobInfo, LiteralValue, Output, Scalar, Step, Sweep, TrialInfo

#: By this prefix a script finds its parameters in the environment, as in Azure.
VARIABLE_PREFIX = "AZUREML_SWEEP_"


def trial_step(step: Step, point: Mapping[str, Scalar]) -> Step:
    """Return the step that tries a point.

    Its outputs go to places of its own and are not registered: only the best trial's are, in the
    end, by the sweep.
    """
    sweep = step.sweep
    assert sweep is not None
    values = {name: LiteralValue(value=value) for name, value in point.items()}
    return msgspec.structs.replace(
        step,
        sweep=None,
        inputs={**step.inputs, **values},
        outputs={name: _own(output) for name, output in step.outputs.items()},
        timeout=sweep.trial_timeout,
    )


def _own(output: Output) -> Output:
    path = output.path if is_own_place(output) else None
    return msgspec.structs.replace(output, path=path, name=None, version=None)


def is_own_place(output: Output) -> bool:
    """Return whether each trial writes the output to another place."""
    return output.path is None or "${{name}}" in output.path.replace(" ", "")


def logged(tracking: RunTracking, run_id: str, metric: str) -> list[float]:
    """Return every value of a metric that a run has logged so far, in order.

    Raises:
        TrackingError: The tracking server does not answer.
    """
    return tracking.recorder.ask(
        lambda client: [found.value for found in client.metric_history(run_id, metric)]
    )


@dataclass(kw_only=True)
class TrialRun(StepRun):
    """A trial that runs.

    Attributes:
        sweep: The sweep that it belongs to.
        family: What trials of the same sweep are found again by.
        logged: What it has logged of the sweep's metric, as far as is known.
        judged: How many of these its early termination has looked at.
    """

    sweep: Sweep
    family: str
    logged: list[float] = field(default_factory=list)
    judged: int = 0

    @property
    def info(self) -> TrialInfo:
        """What its record says of the trial."""
        found = self.state[self.name].trial
        assert found is not None
        return found

    def read_metric(self) -> None:
        """Read what it has logged so far; raises TrackingError."""
        if run_id := self.state[self.name].tracking.run_id:
            self.logged = logged(self.tracking, run_id, self.sweep.objective.primary_metric)

    def best(self) -> TrialInfo:
        """Return what it tries with the best value that it has logged."""
        value = best_of(self.sweep.objective, self.logged)
        return msgspec.structs.replace(self.info, value=value)

    def _reuse_name(self) -> str:
        return self.state[self.name].label

    def _reuse_scope(self) -> str:
        return self.family

    def _outcome(self, result: JobInfo | None) -> dict[str, Any]:
        if result is None:
            self.read_metric()
            return {"trial": self.best()}
        if self.sweep.early_termination is not None:
            # Trials that run are compared with all that this one logged on its way.
            metric = self.sweep.objective.primary_metric
            self.logged = logged(self.tracking, result.tracking.run_id, metric)
        value = result.trial.value if result.trial is not None else None
        return {"trial": msgspec.structs.replace(self.info, value=value)}

    def _own_variables(self, inputs: StepInputs, outputs: Mapping[str, str]) -> dict[str, str]:
        texts = {name: bound.text for name, bound in inputs.bound.items()} | dict(outputs)
        return {f"{VARIABLE_PREFIX}{name}": text for name, text in texts.items()}

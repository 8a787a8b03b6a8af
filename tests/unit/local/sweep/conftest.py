"""Sweeps of trivial commands, which log a metric over MLflow's REST interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.lab import PYTHON, Lab, step

from amlocal.plan import Distributed, Job, Objective, Output, Step, Sweep, Uniform

#: Logs its arguments from the second on, one after the other, as the metric `loss`; the first is
#: how long it waits after each. Importing mlflow would take seconds.
PROGRAM = """
import json, os, sys, time, urllib.request

for step, value in enumerate(sys.argv[2:]):
    body = {
        "run_id": os.environ["MLFLOW_RUN_ID"],
        "key": "loss",
        "value": float(value),
        "timestamp": round(time.time() * 1000),
        "step": step,
    }
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    time.sleep(float(sys.argv[1]))
"""

SweepStep = Callable[..., Step]

#: What most sweeps here search.
SPACE: dict[str, Distributed] = {"x": Uniform(min_value=-1, max_value=1)}


@pytest.fixture
def log(lab: Lab) -> str:
    """The start of a command that logs values: `{log} 0 ${{search_space.x}}`."""
    return f"{PYTHON} {lab.write('log_loss.py', PROGRAM)}"


def sweep_step(
    command: str,
    /,
    *,
    name: str = "sweep",
    space: dict[str, Distributed] | None = None,
    goal: Any = "minimize",
    outputs: dict[str, Output] | None = None,
    timeout: float | None = None,
    fields: dict[str, Any] | None = None,
    **sweep: Any,
) -> Step:
    """Return a step that sweeps; `fields` are those of its component and bindings."""
    found = step(name, command, outputs=outputs, timeout=timeout, **(fields or {}))
    settings = Sweep(
        search_space=space or SPACE,
        objective=Objective(goal=goal, primary_metric="loss"),
        **{"max_total_trials": 4, **sweep},
    )
    return msgspec.structs.replace(found, sweep=settings)


def sweep_job(command: str, /, **options: Any) -> Job:
    """Return a sweep job."""
    return Job(type="sweep", steps=(sweep_step(command, **options),), experiment_name="tests")


def output_of(job: Any, name: str = "o") -> Path:
    return Path(job.outputs[name].path)

"""The MLflow run of a step, wherever it runs.

Azure ML and amlocal set `MLFLOW_TRACKING_URI` and `MLFLOW_RUN_ID`, so that plain `mlflow` logs to
the step's own run. Without a tracking address a program was started by hand; MLflow would then
make a database in the working folder, which nobody asked for, so metrics are only printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from stepkit.program import StepError

#: The parameter that says what came of a step; `aml` shows it at the end of the job.
CONCLUSION = "conclusion"
#: Azure ML refuses longer parameters.
_LONGEST = 500


class Tracking(Protocol):
    """Where a step logs what it did."""

    @property
    def run_id(self) -> str:
        """The MLflow run's id; empty where nothing is tracked."""

    def params(self, params: Mapping[str, object]) -> None:
        """Log parameters."""

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics."""

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""

    def artifacts(self, folder: Path, path: str) -> None:
        """Upload a folder under a path of the run's artifacts."""

    def conclude(self, text: str) -> None:
        """Say in a line, once, what came of the step, for who sees only the job's end."""


class Untracked:
    """No tracking address is set: nothing is logged."""

    run_id = ""

    def params(self, params: Mapping[str, object]) -> None:
        """Log nothing."""

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Log nothing."""

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set nothing."""

    def artifacts(self, folder: Path, path: str) -> None:
        """Upload nothing."""

    def conclude(self, text: str) -> None:
        """Log nothing."""


class ActiveRun:
    """MLflow's active run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def params(self, params: Mapping[str, object]) -> None:
        """Log parameters, with one request."""
        import mlflow  # imported already by `tracked`; 2 s that untracked programs are spared

        mlflow.log_params(dict(params))

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics, with one request."""
        import mlflow  # as above

        mlflow.log_metrics(dict(metrics))

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, with one request."""
        import mlflow  # as above

        mlflow.set_tags(dict(tags))

    def artifacts(self, folder: Path, path: str) -> None:
        """Upload a folder under a path of the run's artifacts."""
        import mlflow  # as above

        mlflow.log_artifacts(str(folder), path)

    def conclude(self, text: str) -> None:
        """Log what came of the step as a parameter, which jobs that reuse the step have too."""
        line = " ".join(text.split())
        self.params({CONCLUSION: line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"})


@contextmanager
def tracked() -> Iterator[Tracking]:
    """Open the step's MLflow run: that of `MLFLOW_RUN_ID`, else a new one.

    The run ends with the block, as failed where an error leaves it.

    Yields:
        Where to log.

    Raises:
        StepError: The tracking server does not answer.
    """
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address:
        print("tracking: MLFLOW_TRACKING_URI is not set, so metrics are printed only")
        yield Untracked()
        return
    import mlflow  # 2 s, and not needed above
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.start_run()
    except MlflowException as error:
        raise StepError(
            f"MLflow at {address} did not open the run: {error}",
            hint="start the tracking server, or unset MLFLOW_TRACKING_URI",
        ) from error
    with run:
        yield ActiveRun(run.info.run_id)

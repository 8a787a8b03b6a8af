"""A parallel step that runs: a step of a pipeline, or what a batch deployment is invoked for.

    ask       the request is written: what is divided, how, what may fail, the cores
    run       one process of its own session (`parallelkit`), in the step's environment, has workers
              that call the entry script
    conclude  what the script wrote, and the rows that it returned, become the step's outputs

A run that was interrupted goes on when its job is run again: it works in a folder that is found by
the step's fingerprint (`folder`), where it keeps what has finished, and the outputs themselves.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from amlocal.files import write_whole
from amlocal.local.bind import arguments, substituted
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.inputs import StepInputs
from amlocal.local.outputs import OutputPlace
from amlocal.local.parallel.folder import opened
from amlocal.local.parallel.settings import predefined
from amlocal.local.process import Launch
from amlocal.local.reuse import Verdict
from amlocal.local.step import StepRun
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import metrics_at
from amlocal.local.variables import thread_variables
from amlocal.plan import JobStatus, Parallel

#: What Azure calls the file of appended rows where a folder is named.
_ROWS = "parallel_run_step.txt"
#: Metrics of the step's run, by Azure's names, and the counts that they are.
_METRICS = {
    "Total MiniBatches": "total",
    "Processed MiniBatches": "ended",
    "Failed MiniBatches": "failed",
    "Total Items": "items",
    "Processed Items": "succeeded_items",
    "Failed Items": "failed_items",
}


@dataclasses.dataclass
class ParallelRun(StepRun):
    """A parallel step that runs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.step.component.parallel is not None
        self.parallel: Parallel = self.step.component.parallel

    def _execute(self, inputs: StepInputs, choice: EnvironmentChoice, verdict: Verdict) -> None:
        place = self.services.workspace.parallel / verdict.facts.fingerprint[:32]
        other = self._folders.root / "parallel"
        goes_on = not self.job.settings.force_rerun
        with opened(place, other=other, goes_on=goes_on) as folder:
            self._folder = folder
            super()._execute(inputs, choice, verdict)

    def _output_places(self) -> dict[str, OutputPlace]:
        return {
            name: dataclasses.replace(place, written=self._folder.outputs / name)
            for name, place in super()._output_places().items()
        }

    def _own_variables(self, inputs: StepInputs, outputs: Mapping[str, str]) -> dict[str, str]:
        variables = {"AZUREML_CR_NODE_RANK": "0", "NODE_RANK": "0"}
        if self.parallel.model is not None:
            model = Path(inputs.bound[self.parallel.model].text)
            named = self.parallel.model_name or model.name
            variables["AZUREML_MODEL_DIR"] = str(self._folder.with_model(model, named))
        if self.parallel.score is not None:
            variables["AZUREML_BI_OUTPUT_PATH"] = outputs[self.parallel.score]
        return variables

    def _start(
        self, inputs: StepInputs, outputs: Mapping[str, str], variables: dict[str, str]
    ) -> int:
        request = self._request(inputs, outputs)
        write_whole(self._folder.request, msgspec.json.encode(request))
        paths = (str(self._folder.with_program()), variables.get("PYTHONPATH"))
        variables = variables | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        place = self._folder
        options = ["--request", str(place.request), "--out", str(place.path)]
        command = shlex.join(["python", "-m", "parallelkit", *options])
        self.state.change(self.name, status=JobStatus.RUNNING)
        launch = Launch(variables, self._folders.log())
        code = self.processes.run(command, [launch], self._folders.working)
        self._log_counts()
        return code

    def _request(self, inputs: StepInputs, outputs: Mapping[str, str]) -> dict[str, Any]:
        """Return what is asked of the run, as `parallelkit.request` reads it."""
        parallel, cores = self.parallel, self.options.threads()
        line = arguments(parallel.program_arguments, inputs.bound, outputs)
        each = parallel.max_concurrency_per_instance
        model = inputs.bound[parallel.model].text if parallel.model is not None else None
        threads = thread_variables(self.services.environ, 1)
        return {
            **predefined(line),
            "input_data": inputs.bound[parallel.input_data].text,
            "is_tabular": parallel.is_tabular,
            "entry_script": self._entry_script(),
            "model": model,
            "arguments": line,
            "mini_batch_size": parallel.batch_size,
            "partition_keys": parallel.partition_keys,
            "short_fails": parallel.score is None and not parallel.partition_keys,
            "append_to": self._append_to(inputs, outputs),
            "workers": self.step.component.instance_count * each if each else cores,
            "cores": cores,
            "thread_variables": sorted(threads.keys() - self.step.environment_variables.keys()),
            "max_retries": parallel.max_retries,
            "timeout": parallel.timeout,
            "mini_batch_error_threshold": parallel.mini_batch_error_threshold,
            **({"error_threshold": n} if (n := parallel.error_threshold) != -1 else {}),
            "logging_level": parallel.logging_level,
            "logs": str(self._folders.working / "logs"),
        }

    def _entry_script(self) -> str | None:
        if self.parallel.entry_script is None:
            return None
        return str(self._folders.working / self.parallel.entry_script)

    def _append_to(self, inputs: StepInputs, outputs: Mapping[str, str]) -> str | None:
        said = self.parallel.append_row_to
        if not said:
            return None
        place = self._folders.working / substituted(said, inputs.bound, outputs)
        return str(place / _ROWS if place.is_dir() else place)

    def _log_counts(self) -> None:
        """Log how many mini-batches and items there were, as metrics of the step's run."""
        if not self._folder.events.exists():
            return
        events = self._folder.events.read_text(encoding="utf-8").splitlines()
        counts: dict[str, Any] = json.loads(events[-1]) if events else {}
        if counts.get("event") != "finished":
            return  # it was ended
        metrics = {name: float(counts[field]) for name, field in _METRICS.items()}
        logged = metrics_at(time.time(), metrics)
        run_id = self.state[self.name].tracking.run_id

        def task(client: TrackingClient) -> None:
            client.log_batch(run_id, metrics=logged)

        self.tracking.recorder.later(run_id, task)

    def _why_failed(self, code: int, what_ended: str = "the parallel run") -> str:
        # By these exit codes it says itself why.
        if code in {1, 2} and (words := self._last_words()):
            return words
        return super()._why_failed(code, what_ended)

    def _conclude(
        self, code: int, inputs: StepInputs, places: dict[str, OutputPlace], verdict: Verdict
    ) -> None:
        super()._conclude(code, inputs, places, verdict)
        if self.state[self.name].status is JobStatus.COMPLETED:
            self._folder.remove()

"""An AutoML step that runs: a job of its own, or a step of a pipeline.

    ask       the request is written: the plan's fields, the places of the data, the cores
    search    one process of its own session (`automlkit`) trains and compares, and tells in a file
              what it does; it is to deliver within its timeout, and is ended soon after it
    follow    what it tells becomes child jobs and nested runs (`trials`)
    conclude  the model that it has written becomes the step's output `best_model`

A search that was interrupted goes on when its job is run again: it works in a folder that is found
by the step's fingerprint (`folder`), where it keeps the trials that have finished.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import JobFailedError
from amlocal.files import write_whole
from amlocal.local.automl.events import EventFile
from amlocal.local.automl.folder import opened
from amlocal.local.automl.packages import search_code
from amlocal.local.automl.trials import SearchTrials
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.fingerprint import Facts
from amlocal.local.inputs import StepInputs
from amlocal.local.outputs import OutputPlace, StepFolders
from amlocal.local.process import Launch
from amlocal.local.reuse import Verdict
from amlocal.local.step import StepRun
from amlocal.local.variables import thread_variables
from amlocal.plan import AUTOML_INPUTS, BEST_MODEL, AutoML, AutoMLLimits, JobInfo, JobStatus

#: Seconds between two looks at what the search tells.
_LOOK = 0.2
#: What a search may take beyond its timeout before it is ended: a share of it, and seconds.
_SHARE = 0.05
_GRACE = 10.0
#: Where Azure puts the model among the artifacts of the best child's run.
_AZURES_PLACE = "outputs/mlflow-model"
#: By this exit code a search says that what it was given is wrong.
_WRONG_REQUEST = 2


def deadline_of(limits: AutoMLLimits) -> float:
    """Return the seconds after which a search is ended."""
    if limits.timeout_seconds is None:
        return float("inf")
    return limits.timeout_seconds * (1 + _SHARE) + _GRACE


def threads_of(limits: AutoMLLimits, cores: int) -> int:
    """Return the threads of each trial, where a search has so many cores."""
    at_once = max(1, min(limits.max_concurrent_trials, cores))
    each = max(1, cores // at_once)
    return min(each, limits.max_cores_per_trial) if limits.max_cores_per_trial > 0 else each


def request_of(automl: AutoML, inputs: StepInputs, cores: int) -> dict[str, Any]:
    """Return what is asked of a search, as `automlkit.request` reads it."""
    data = {name: inputs.bound[name].text for name in AUTOML_INPUTS if name in inputs.bound}
    asked: dict[str, Any] = msgspec.to_builtins(automl)
    return {**asked, **data, "cores": cores}


@dataclass
class AutoMLRun(StepRun):
    """An AutoML step that runs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.step.automl is not None
        self.automl: AutoML = self.step.automl
        self._is_late = False

    def _environment_mode(self) -> str:
        # The search is part of what is installed here; its digest names every package's version.
        return "current"

    def _facts(self, inputs: StepInputs, choice: EnvironmentChoice) -> Facts:
        return {**super()._facts(inputs, choice), "code": search_code(self.services.digests)}

    def _outcome(self, result: JobInfo | None) -> dict[str, Any]:
        return {"automl": result.automl} if result is not None else {}

    def _own_variables(
        self,
        inputs: StepInputs,  # noqa: ARG002
        outputs: Mapping[str, str],  # noqa: ARG002
    ) -> dict[str, str]:
        threads = threads_of(self.automl.limits, self.options.threads())
        return thread_variables(self.services.environ, threads)

    def _execute(self, inputs: StepInputs, choice: EnvironmentChoice, verdict: Verdict) -> None:
        place = self.services.workspace.automl / verdict.facts.fingerprint[:32]
        other = self._folders.working / "search"
        goes_on = not self._no_reuse()
        with opened(place, job=self.name, other=other, goes_on=goes_on) as folder:
            self._folder = folder
            super()._execute(inputs, choice, verdict)

    def _start(
        self, inputs: StepInputs, outputs: Mapping[str, str], variables: dict[str, str]
    ) -> int:
        request = request_of(self.automl, inputs, self.options.threads())
        write_whole(self._folder.request, msgspec.json.encode(request))
        trials = SearchTrials(self.name, self.state, self.tracking, self._known_as)
        self.state.change(self.name, status=JobStatus.RUNNING)
        code = self._follow(variables, trials)
        if self.cancelled.is_set() or self._timed_out:
            trials.close(JobStatus.CANCELED, self.processes.ended_because)
        elif code:
            trials.close(JobStatus.CANCELED, "the search has ended")
        else:
            self._deliver(trials, Path(outputs[BEST_MODEL]))
        return code

    def _known_as(self, number: int) -> str | None:
        name = f"{self._folder.earlier}_{number}"
        return name if self.services.records.has(name) else None

    def _follow(self, variables: dict[str, str], trials: SearchTrials) -> int:
        """Run the search to its end, recording what it tells; returns its exit code."""
        folder, program = self._folder, self.services.automl
        line = [*program, "--request", str(folder.request), "--out", str(folder.path)]
        launch = Launch(variables, self._folders.log())
        deadline = time.monotonic() + deadline_of(self.automl.limits)
        events = EventFile(folder.events)
        with ThreadPoolExecutor(1, "search") as pool:
            running = pool.submit(
                self.processes.run, shlex.join(line), [launch], self._folders.working
            )
            try:
                is_over = False
                while not is_over:
                    is_over = bool(wait([running], timeout=_LOOK).done)
                    for event in events.new():
                        trials.take(event)
                    if not (is_over or self._is_late) and time.monotonic() > deadline:
                        self._is_late = True
                        self.processes.end("the search went on after its timeout")
            except BaseException:
                self.processes.end("the search cannot be followed")  # else the pool waits for it
                raise
            return running.result()

    def _deliver(self, trials: SearchTrials, place: Path) -> None:
        """Put the model and what else the search wrote where a step's outputs are."""
        self.state.change(self.name, status=JobStatus.FINALIZING)
        finished, folder = trials.finished, self._folder
        if finished is None or not folder.model.is_dir():
            trials.close(JobStatus.CANCELED, "the search has ended")
            raise JobFailedError(
                "the search ended without a model", hint=f"see its log: {self._folders.log()}"
            )
        best = trials.conclude(finished)
        shutil.copytree(folder.model, place, dirs_exist_ok=True)
        kept = StepFolders(self.services.workspace.job(best.name)).artifacts / _AZURES_PLACE
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder.model, kept)
        trials.upload(best, kept, _AZURES_PLACE)
        reports = self._folders.working / "outputs"
        for report in folder.reports:
            shutil.move(report, reports / report.name)
        found = {"validation": trials.found.validation, "checks": trials.found.guardrails}
        write_whole(reports / "guardrails.json", msgspec.json.format(msgspec.json.encode(found)))

    def _why_failed(self, code: int, what_ended: str = "the search") -> str:
        if self._is_late:
            timeout = self.automl.limits.timeout_seconds
            return f"the search was not over in time after its timeout of {timeout:g} s"
        if code == _WRONG_REQUEST and (words := self._last_words()):
            return words
        return super()._why_failed(code, what_ended)

    def _conclude(
        self, code: int, inputs: StepInputs, places: dict[str, OutputPlace], verdict: Verdict
    ) -> None:
        super()._conclude(code, inputs, places, verdict)
        if self.state[self.name].status is JobStatus.COMPLETED:
            self._folder.remove()

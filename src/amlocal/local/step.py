"""One step, from its inputs to its recorded result.

Find the inputs; take an earlier result where one with the same facts is there; else make the
folders, start the processes, wait, and take the outputs in. Whatever goes wrong ends in a
terminal state with a sentence that says why.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from amlocal.errors import AmlocalError, BuildStoppedError
from amlocal.local.bind import input_variables, render
from amlocal.local.environments import EnvironmentChoice, ResolvedEnvironment
from amlocal.local.failures import code_of, text_of
from amlocal.local.fingerprint import Facts, step_facts
from amlocal.local.inputs import StepInputs, copy_inputs, find_inputs
from amlocal.local.outputs import (
    ARTIFACTS,
    DEFAULT_OUTPUT,
    OutputPlace,
    StepFolders,
    collect_artifacts,
    make_ready,
    output_places,
    take_in,
)
from amlocal.local.process import (
    JOB_VARIABLE,
    WORKSPACE_VARIABLE,
    Launch,
    StepProcesses,
    inherited,
)
from amlocal.local.reuse import Verdict, look_up
from amlocal.local.runs import RunTracking
from amlocal.local.services import Services
from amlocal.local.state import JobState
from amlocal.local.variables import (
    RunIdentity,
    identity_variables,
    process_variables,
    thread_variables,
)
from amlocal.plan import MODEL_TYPES, Environment, Job, JobInfo, JobStatus, OutputInfo, Step

_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How the steps of a job run.

    Attributes:
        environment: `auto`, `current`, `isolated`, or `docker`.
        threads: Gives the number of threads that a step which starts now may use.
    """

    environment: str
    threads: Callable[[], int]


@dataclass
class StepRun:
    """A step that runs, or a command job.

    Attributes:
        name: Its job name.
        step: What it runs.
        job: The job that it belongs to.
    """

    name: str
    step: Step
    job: Job
    services: Services
    state: JobState
    tracking: RunTracking
    options: StepOptions
    code: dict[str, str]
    job_names: dict[str, str]
    processes: StepProcesses = field(default_factory=StepProcesses)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def width(self) -> int:
        """How many commands it may run side by side."""
        return 1

    def __post_init__(self) -> None:
        self._folders = StepFolders(self.services.workspace.job(self.name))
        self._timed_out = False

    def run(self) -> JobStatus:
        """Run the step to its end and return its state; what goes wrong is in its record."""
        try:
            if self.cancelled.is_set():
                why = self.processes.ended_because or "it was canceled"
                self.state.change(self.name, status=JobStatus.CANCELED, error=why)
            else:
                self._run()
        except BuildStoppedError:
            self._end(JobStatus.CANCELED, self.processes.ended_because)
        except (AmlocalError, OSError) as error:
            text = text_of(error, self.services.workspace)
            self._end(JobStatus.FAILED, text, code_of(error))
        return self.state[self.name].status

    def cancel(self, why: str = "it was canceled") -> None:
        """End the step; it becomes Canceled."""
        self.cancelled.set()
        self.processes.end(why)

    def time_out(self) -> None:
        """End the step because its time is over; Azure cancels such a job."""
        self._timed_out = True
        self.processes.end(f"its timeout of {self.step.timeout:g} s was over")

    def _run(self) -> None:
        self.state.change(self.name, status=JobStatus.PREPARING)
        inputs = find_inputs(
            self.job,
            self.step,
            locations=self.services.locations,
            digests=self.services.digests,
            result=self._result_of,
            copies=self._folders.inputs,
        )
        asked = self._environment()
        choice = self.services.environments.choose(asked, self._environment_mode())
        self.tracking.describe(self.name, self.step, inputs, choice, self.code, asked)
        verdict = look_up(
            self.services.records,
            self.services.digests,
            self.services.artifacts,
            step=self._reuse_name(),
            scope=self._reuse_scope(),
            facts=self._facts(inputs, choice),
            refused=self._no_reuse(),
        )
        if verdict.result is not None:
            self._reuse(verdict, verdict.result, inputs)
        else:
            self._execute(inputs, choice, verdict)

    def _facts(self, inputs: StepInputs, choice: EnvironmentChoice) -> Facts:
        """Return everything that decides the step's result."""
        return step_facts(self.step, code=self.code, environment=choice.digest, inputs=inputs.bound)

    def _reuse_name(self) -> str:
        """Return what the step is called when its reuse is explained."""
        return self.step.name

    def _reuse_scope(self) -> str:
        """Return what the step is compared within, to say what changed."""
        return f"{self.job.experiment_name}/{self.job.source}"

    def _no_reuse(self) -> str:
        if self.job.settings.force_rerun:
            return "settings.force_rerun is true"
        if not self.step.component.is_deterministic:
            return "its component says is_deterministic: false"
        return ""

    def _environment(self) -> Environment | None:
        """Return what the step asks for; of a name that is registered, what that stands for."""
        environment = self.step.component.environment
        if environment is not None and environment.reference:
            return self.services.find_environment(environment.reference) or environment
        return environment

    def _environment_mode(self) -> str:
        """Return how the step's environment is chosen."""
        return self.options.environment

    def _result_of(self, step: str, output: str) -> OutputInfo:
        source = self.state[self.job_names[step]]
        if output != ARTIFACTS:
            return source.outputs[output]
        default = source.outputs.get(DEFAULT_OUTPUT)
        run = source.reused_from or source.name
        return default or OutputInfo(
            type="uri_folder", path=str(StepFolders(self.services.workspace.job(run)).artifacts)
        )

    def _reuse(self, verdict: Verdict, result: JobInfo, inputs: StepInputs) -> None:
        facts = msgspec.structs.replace(verdict.facts, reason=verdict.reuse.to_json().decode())
        result = self.tracking.logged_by(result)
        # First: an engine that is killed in between leaves the run to be written.
        self.tracking.record_reused(self.name, self.step, result)
        self.state.complete(
            self.name,
            facts,
            reusable=False,
            status=JobStatus.COMPLETED,
            inputs=inputs.infos(),
            outputs=result.outputs,
            metrics=result.metrics,
            params=result.params,
            reused_from=result.name,
            log=result.log,
            **self._outcome(result),
        )

    def _outcome(self, result: JobInfo | None) -> dict[str, Any]:  # noqa: ARG002 - trials need it
        """Return further fields of the record of a step that completed.

        Args:
            result: The earlier step whose result serves, or None where it ran.
        """
        return {}

    def _own_variables(
        self,
        inputs: StepInputs,  # noqa: ARG002 - trials need both
        outputs: Mapping[str, str],  # noqa: ARG002
    ) -> dict[str, str]:
        """Return environment variables beside those of every step."""
        return {}

    def _execute(self, inputs: StepInputs, choice: EnvironmentChoice, verdict: Verdict) -> None:
        self.state.change(self.name, inputs=inputs.infos(), log=str(self._folders.log()))
        run_id = self.tracking.begin(self.name, self.step)
        resolved = self.services.environments.prepare(
            choice, lambda: bool(self.processes.ended_because)
        )
        self.tracking.log_packages(self.name)
        places = self._output_places()
        self._lay_out(inputs, places)
        paths = {name: str(place.written) for name, place in places.items()}
        variables = self._variables(inputs, paths, resolved, run_id)
        code = self._start(inputs, paths, variables)
        self._conclude(code, inputs, places, verdict)

    def _output_places(self) -> dict[str, OutputPlace]:
        return output_places(
            self.step,
            self.name,
            folders=self._folders,
            locations=self.services.locations,
            datastore=self.job.settings.default_datastore,
        )

    def _variables(
        self,
        inputs: StepInputs,
        outputs: Mapping[str, str],
        environment: ResolvedEnvironment,
        run_id: str,
    ) -> dict[str, str]:
        """Return the whole environment of the step's processes."""
        variables = {
            **inherited(self.services.environ),
            **thread_variables(self.services.environ, self.options.threads()),
            **environment.variables,
            "PYTHONUNBUFFERED": "1",
        }
        path = [str(entry) for entry in environment.path_entries]
        variables["PATH"] = ":".join([*path, variables.get("PATH", "/usr/bin:/bin")])
        variables |= identity_variables(self._identity(run_id))
        variables |= input_variables(inputs.bound, outputs)
        variables |= self._own_variables(inputs, outputs)
        variables |= self.step.environment_variables
        return variables | {
            JOB_VARIABLE: self.state.root,
            WORKSPACE_VARIABLE: str(self.services.workspace.path),
        }

    def _start(
        self, inputs: StepInputs, outputs: Mapping[str, str], variables: dict[str, str]
    ) -> int:
        """Run what the step runs to its end; returns its exit code, negative for a signal."""
        command = render(self.step.component.command, inputs.bound, outputs)
        self.state.change(self.name, status=JobStatus.RUNNING)
        return self.processes.run(command, self._launches(variables), self._folders.working)

    def _identity(self, run_id: str) -> RunIdentity:
        return RunIdentity(
            job=self.name,
            root=self.state.root,
            workspace=self.services.workspace.project.name,
            tracking_uri=self.tracking.uri,
            experiment=self.job.experiment_name,
            experiment_id=self.tracking.experiment_id,
            run_id=run_id,
        )

    def _lay_out(self, inputs: StepInputs, places: dict[str, OutputPlace]) -> None:
        make_ready(self._folders, places)
        copy_inputs(inputs)
        for name, digest in self.code.items():
            file = self._folders.working / name
            self.services.artifacts.restore(digest, file)
            file.chmod(0o755)  # storage keeps no modes: as in Azure, everything may be executed

    def _launches(self, variables: dict[str, str]) -> list[Launch]:
        component = self.step.component
        ranks = process_variables(
            component.distribution,
            component.instance_count,
            _free_port() if (component.distribution) else 0,
        )
        if len(ranks) == 1:
            return [Launch(variables | ranks[0], self._folders.log())]
        return [
            Launch(variables | rank, self._folders.log(number)) for number, rank in enumerate(ranks)
        ]

    def _conclude(
        self, code: int, inputs: StepInputs, places: dict[str, OutputPlace], verdict: Verdict
    ) -> None:
        self.state.change(self.name, status=JobStatus.FINALIZING)
        if self.cancelled.is_set() or self._timed_out:
            self._end(JobStatus.CANCELED, self.processes.ended_because)
            return
        if code:
            self._end(JobStatus.FAILED, self._why_failed(code))
            return
        inputs.check_unchanged(self.services.digests)
        outputs = take_in(
            self._folders,
            places,
            artifacts=self.services.artifacts,
            locations=self.services.locations,
            keep_working=False,
        )
        outputs = self._registered(outputs)
        models = {name: o for name, o in outputs.items() if o.type in MODEL_TYPES}
        self.tracking.record_outputs(self.name, self._folders, models)
        self.tracking.note_models(self.name, models)
        reason = verdict.reuse.to_json().decode()
        self.state.complete(
            self.name,
            msgspec.structs.replace(verdict.facts, reason=reason),
            # As in Azure, a forced run is not offered for later reuse.
            reusable=not self._no_reuse(),
            status=JobStatus.COMPLETED,
            outputs=outputs,
            **self._outcome(None),
        )
        self.tracking.end(self.name)

    def _registered(self, outputs: dict[str, OutputInfo]) -> dict[str, OutputInfo]:
        found = dict(outputs)
        for name, output in self.step.outputs.items():
            if output.name:
                written = found[name]
                run_id = self.state[self.name].tracking.run_id
                asset = self.services.register_output(output, written, run_id)
                found[name] = msgspec.structs.replace(written, asset=asset)
        return found

    def _end(self, status: JobStatus, error: str, code: str = "UserError") -> None:
        if self.state[self.name].tracking.run_id:
            collect_artifacts(self._folders, keep_working=True)
            self.tracking.record_outputs(self.name, self._folders, {})
        self.state.change(
            self.name, status=status, error=error, error_code=code, **self._found_so_far()
        )
        self.tracking.end(self.name)

    def _found_so_far(self) -> dict[str, Any]:
        """Return further fields of the record of a step that did not complete."""
        return {}

    def _why_failed(self, code: int, what_ended: str = "the command") -> str:
        """Return why the step is Failed, by the exit code of what it ran."""
        what = f"signal {-code}" if code < 0 else f"exit code {code}"
        # On a full disk the command's own words about it may be missing in the log.
        if self.services.workspace.is_full():
            why = f"; no space is left on the disk of {self.services.workspace.path}"
        else:
            why = f"; its log ends: {words}" if (words := self._last_words()) else ""
        return f"{what_ended} ended with {what}{why}"

    def _last_words(self) -> str:
        """Return the last line of the log that is not indented, with what follows it."""
        log = sorted(self._folders.user_logs.glob("std_log*.txt"))[self.processes.failed]
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        last = next((i for i in reversed(range(len(lines))) if not lines[i][:1].isspace()), 0)
        # Indented lines, such as a hint, go on with what the line above them says.
        words = " ".join(line.strip() for line in lines[last:])
        return words[:500]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

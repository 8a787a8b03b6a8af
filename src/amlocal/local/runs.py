"""A job's lineage: the five things tracked (data, code, environment, model, serving).

Kept in the records, where `job show` finds them without a server, and written to the job's MLflow
runs: one for the job and, in a pipeline, a nested one for each step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from amlocal.content import component_facts, content_version, environment_facts
from amlocal.local.digests import tree_digest
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.inputs import StepInputs
from amlocal.local.lineage import (
    GitState,
    end_tags,
    git_state,
    git_tags,
    parameters,
    run_tags,
    tags_of_step,
    tracked,
)
from amlocal.local.outputs import StepFolders
from amlocal.local.recorder import NewRun, Recorder
from amlocal.local.records import WaitingRun, seconds_of
from amlocal.local.services import Services
from amlocal.local.state import JobState
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.datasets import describe_inputs
from amlocal.local.tracking.values import DatasetInput, Run, RunData, metrics_at
from amlocal.plan import Environment, Job, JobInfo, JobStatus, OutputInfo, Step


class RunTracking:
    """Tracks one job.

    Args:
        services: The workspace.
        job: The job.
        state: Its state.
    """

    def __init__(self, services: Services, job: Job, state: JobState) -> None:
        self._services = services
        self._job = job
        self._state = state
        self._lock = threading.Lock()
        self._packages: set[str] = set()
        self._runs: dict[str, Run] = {}
        self._choices: dict[str, EnvironmentChoice] = {}
        self._begin_lock = threading.Lock()
        self._recorder: Recorder | None = None
        self._commit: Future[GitState] = ThreadPoolExecutor(1, "git").submit(
            git_state, self._source_folder()
        )
        services.server.expect_runs(state.root, services.workspace.path)
        self._pipeline = self._describe_pipeline() if job.type == "pipeline" else None

    def _source_folder(self) -> Path:
        source = Path(self._job.source) if self._job.source else self._services.workspace.project
        folder = source if source.is_dir() else source.parent
        return folder if folder.is_dir() else self._services.workspace.project

    @property
    def recorder(self) -> Recorder:
        """What writes to the job's runs; starts the tracking server where it is down.

        Raises:
            TrackingError: It does not start.
        """
        with self._lock:
            if self._recorder is None:
                self._recorder = Recorder(
                    self._services.server, self._job.experiment_name, self._services.note
                )
            return self._recorder

    def run_of(self, name: str) -> Run:
        """Return the run that was begun for a step."""
        return self._runs[name]

    @property
    def uri(self) -> str:
        """Address of the MLflow server."""
        return self.recorder.uri

    @property
    def experiment_id(self) -> str:
        """Id of the MLflow experiment."""
        return self.recorder.experiment_id

    def _describe_pipeline(self) -> WaitingRun:
        """Note what a pipeline is about to use; its run begins with the first of its steps."""
        info = self._state[self._state.root]
        data = {
            name: {"source": i.path, "digest": i.digest}
            for name, i in info.inputs.items()
            if i.path is not None
        }
        tracking = tracked(data=data, code=self._git_facts(), environment=None)
        self._state.change(info.name, tracking=tracking)
        facts = {"type": "pipeline"}
        tags = run_tags(info, source=self._job.source, tags=self._job.tags, facts=facts)
        return self.wait_for_run(info.name, info.display_name or info.name, tags)

    def wait_for_run(self, name: str, run_name: str, tags: Mapping[str, str]) -> WaitingRun:
        """Note that a run is to be written: by this process, else by the server's keeper."""
        run = WaitingRun(
            self._job.experiment_name, run_name, {**tags, **git_tags(self._commit.result())}
        )
        self._services.records.wait_for_run(name, run)
        return run

    def run_is_whole(self, name: str) -> None:
        """Note that a run is written and ended."""
        self._services.records.forget_waiting(name)

    def _begin(self, name: str, waiting: WaitingRun) -> Run:
        """Begin a run now, inside of the one around it."""
        info = self._state[name]
        around = {"mlflow.parentRunId": self._runs[info.parent].run_id} if info.parent else {}
        start = seconds_of(info.start_time) if info.start_time else time.time()
        run = self.recorder.begin(NewRun(waiting.name, {**waiting.tags, **around}, start))
        with self._lock:
            self._runs[name] = run
        self._state.change_tracking(
            name, run_id=run.run_id, uri=self.uri, experiment_id=self.experiment_id
        )
        if self._state[name].tracking.data:
            self._log_data(name, run.run_id)
        return run

    def _begin_pipeline(self) -> None:
        root = self._state.root
        with self._begin_lock:
            if self._pipeline is not None and root not in self._runs:
                self._begin(root, self._pipeline)

    def _git_facts(self) -> dict[str, Any]:
        git = self._commit.result()
        return {"git_commit": git.commit or None, "git_dirty": git.is_dirty}

    def describe(
        self,
        name: str,
        step: Step,
        inputs: StepInputs,
        choice: EnvironmentChoice,
        code: Mapping[str, str],
        asked: Environment | None,
    ) -> None:
        """Note what a step is about to use; nothing is sent yet.

        Args:
            name: Its job's name.
            step: The step.
            inputs: Its inputs.
            choice: What it runs in.
            code: SHA-256 of each file of its code, by place.
            asked: The environment that it asks for, or None.
        """
        data = {
            key: {"source": str(place), "digest": inputs.bound[key].digest}
            for key, place in inputs.places.items()
        }
        environment = {
            "name": choice.name,
            "kind": choice.kind,
            "hash": choice.digest,
            "approximations": list(choice.approximations),
        }
        if asked is not None:
            environment["content"] = content_version(environment_facts(asked))
        component = {
            "name": step.component.name,
            "version": step.component.version or "",
            "content": content_version(component_facts(step.component, code)),
        }
        snapshot = (
            {
                "folder": step.component.code,
                "hash": tree_digest(code),
                "files": len(code),
                **self._git_facts(),
            }
            if code
            else None
        )
        tracking = tracked(data=data, code=snapshot, environment=environment, component=component)
        with self._lock:
            self._choices[name] = choice
        self._state.change(name, tracking=tracking)

    def begin(self, name: str, step: Step) -> str:
        """Begin a step's run and return its id."""
        self._begin_pipeline()
        return self._begin(name, self._note_run(name, step)).run_id

    def _note_run(self, name: str, step: Step, tags: Mapping[str, str] | None = None) -> WaitingRun:
        """Note a step's run with the facts that are its tags, and further tags."""
        info = self._state[name]
        is_root = name == self._state.root
        step_tags = tags_of_step(
            info,
            step,
            source=step.component.source or self._job.source,
            tags=step.tags or (self._job.tags if is_root else {}),
        )
        run_name = info.display_name or (name if is_root else step.name)
        return self.wait_for_run(name, run_name, {**step_tags, **(tags or {})})

    def log_packages(self, name: str) -> None:
        """Upload the package list of a step's environment, once a job, and note where it is."""
        choice = self._choices[name]
        root = self._runs[self._state.root]
        artifact = f"environments/{choice.digest[:16]}/requirements.txt"
        environment = {
            **(self._state[name].tracking.environment or {}),
            "packages": f"runs:/{root.run_id}/{artifact}",
        }
        self._state.change_tracking(name, environment=environment)
        with self._lock:
            is_new = choice.digest not in self._packages
            self._packages.add(choice.digest)
        if is_new:
            self.recorder.later(
                root.run_id, lambda client: self._upload_packages(client, choice, artifact)
            )

    def _upload_packages(
        self, client: TrackingClient, choice: EnvironmentChoice, artifact: str
    ) -> None:
        file = self._services.workspace.job(self._state.root) / artifact
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._services.environments.packages(choice), encoding="utf-8")
        client.upload(self._runs[self._state.root], file, str(Path(artifact).parent))

    def _log_data(self, name: str, run_id: str) -> None:
        """Describe a run's data sets in the background, for MLflow and for the records."""

        def describe_all() -> list[DatasetInput]:
            info = self._state[name]
            cache = self._services.workspace.cache / "schemas"
            sets, data = describe_inputs(info.tracking.data or {}, info.inputs, cache)
            self._state.change_tracking(name, data=data or None)
            return sets

        self.recorder.log_inputs(run_id, describe_all)

    def record_outputs(
        self, name: str, folders: StepFolders, models: Mapping[str, OutputInfo]
    ) -> None:
        """Copy a step's artifacts, log, and models into its run."""
        run = self._runs[name]
        for part in ("outputs", "logs", "user_logs"):
            folder = folders.artifacts / part
            if folder.is_dir() and any(folder.rglob("*")):
                self.recorder.upload(run, folder, part)
        for output, info in models.items():
            self.recorder.upload(run, Path(info.path), output)

    def note_models(self, name: str, models: Mapping[str, OutputInfo]) -> None:
        """Note the models that a step wrote."""
        written = {
            output: {
                "type": info.type,
                "path": info.path,
                "digest": info.digest,
                "uri": f"runs:/{self._runs[name].run_id}/{output}",
            }
            for output, info in models.items()
        }
        if written:
            self._state.change_tracking(name, model={"outputs": written})

    def end(self, name: str) -> None:
        """Close a step's run, and read what its script logged."""
        info = self._state[name]
        if not info.tracking.run_id:
            return  # it never came to have one

        def receive(data: RunData) -> None:
            self._state.change(name, metrics=dict(data.metrics), params=dict(data.params))
            self.run_is_whole(name)

        self.recorder.end(
            info.tracking.run_id,
            info.status,
            tags=end_tags(info),
            params=parameters(info.inputs),
            receive=receive,
        )

    def record_reused(self, name: str, step: Step, result: JobInfo) -> None:
        """Note the run of a step that is about to take over an earlier result."""
        taken = result.tracking
        self._state.change_tracking(
            name, data=taken.data, environment=taken.environment, model=taken.model
        )
        self._note_run(name, step, {"amlocal.reused_from": result.name})

    def logged_by(self, result: JobInfo) -> JobInfo:
        """Return a result with its metrics, read anew where its engine was killed before it did."""
        has_any = result.metrics or result.params or not result.tracking.run_id
        if has_any or self._services.records.status(result.parent or result.name) is (
            JobStatus.COMPLETED  # whose engine has read everything
        ):
            return result
        data = self.recorder.ask(lambda client: client.get_run(result.tracking.run_id))
        return msgspec.structs.replace(result, metrics=dict(data.metrics), params=dict(data.params))

    def settle(self) -> list[str]:
        """Wait until the steps' runs are written and read; returns what could not be written."""
        if self._recorder is not None:
            if names := self._command_runs():
                self._recorder.later(
                    self._state.root, lambda client: self._find_registered(client, names)
                )
            self._recorder.flush()
        if self._job.type == "pipeline":
            self._sum_up(self._state[self._state.root])
        return self._recorder.errors() if self._recorder is not None else []

    def _sum_up(self, root: JobInfo) -> None:
        steps = self._state.steps()
        metrics = {f"{s.step}.{key}": v for s in steps for key, v in s.metrics.items()}
        models = {s.step: s.tracking.model for s in steps if s.step and s.tracking.model}
        environments = {s.step: s.tracking.environment for s in steps if s.tracking.environment}
        self._state.change_tracking(
            root.name, model=models or None, environment=environments or None
        )
        self._state.change(root.name, metrics=metrics)
        logged = metrics_at(seconds_of(root.creation_time), metrics)
        if logged and root.tracking.run_id:
            self.recorder.later(
                root.tracking.run_id,
                lambda client: client.log_batch(root.tracking.run_id, metrics=logged),
            )

    def close(self) -> None:
        """Close a pipeline's run if it was begun, and wait until everything is written."""
        root = self._state[self._state.root]
        if self._recorder is not None:
            self._close_runs(self._recorder, root)
        if not self._services.records.waiting_runs(root.name):
            self._services.server.expect_no_runs(root.name)

    def _close_runs(self, recorder: Recorder, root: JobInfo) -> None:
        if self._job.type == "pipeline" and root.tracking.run_id:
            recorder.end(
                root.tracking.run_id,
                root.status,
                tags=end_tags(root),
                params=parameters(root.inputs),
                receive=lambda data: self._note_params(root.name, data),
            )
        recorder.close()

    def _note_params(self, name: str, data: RunData) -> None:
        self._state.change(name, params=dict(data.params))
        self.run_is_whole(name)

    def _command_runs(self) -> dict[str, str]:
        """Return the names of the steps that ran a command, by their runs."""
        pipeline = self._state.root if self._job.type == "pipeline" else None
        return {run.run_id: name for name, run in self._runs.items() if name != pipeline}

    def _find_registered(self, client: TrackingClient, names: Mapping[str, str]) -> None:
        """Note the model versions that the job's own scripts registered."""
        for version in client.registry.versions_of_runs(list(names)):
            name = names[version.run_id]
            model = dict(self._state[name].tracking.model or {})
            model["registered"] = [
                *model.get("registered", []),
                {"name": version.name, "version": version.version, "source": version.source},
            ]
            self._state.change_tracking(name, model=model)

"""A job's lineage: the five things tracked (data, code, environment, model, serving).

Kept in the records, where `job show` finds them without a server, and written to the job's MLflow
runs: one for the job and, in a pipeline, a nested one for each step.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from amlocal.local.digests import tree_digest
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.inputs import StepInputs
from amlocal.local.lineage import (
    GitState,
    component_reference,
    git_state,
    git_tags,
    parameters,
    run_tags,
)
from amlocal.local.outputs import StepFolders
from amlocal.local.recorder import NewRun, Recorder
from amlocal.local.records import seconds_of
from amlocal.local.services import Services
from amlocal.local.state import JobState
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.datasets import describe
from amlocal.local.tracking.values import DatasetInput, Metric, Run, RunData
from amlocal.plan import MODEL_TYPES, Job, JobInfo, JobStatus, OutputInfo, Step, Tracking

_NO_DATA = "the job takes no data"
_NO_CODE = "the step has no code folder"
_NO_MODEL = "no model was written or registered"
_NO_SERVING = "no deployment of a model of this job is recorded"


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
        with ThreadPoolExecutor(1) as pool:
            asked: Future[GitState] = pool.submit(git_state, self._source_folder())
            self._recorder = Recorder(services.server, job.experiment_name, services.note)
            self._git = asked.result()
        if job.type == "pipeline":
            self._begin_pipeline()

    def _source_folder(self) -> Path:
        source = Path(self._job.source) if self._job.source else self._services.workspace.project
        folder = source if source.is_dir() else source.parent
        return folder if folder.is_dir() else self._services.workspace.project

    @property
    def recorder(self) -> Recorder:
        """What writes to the job's runs."""
        return self._recorder

    def run_of(self, name: str) -> Run:
        """Return the run that was begun for a step."""
        return self._runs[name]

    @property
    def uri(self) -> str:
        """Address of the MLflow server."""
        return self._recorder.uri

    @property
    def experiment_id(self) -> str:
        """Id of the MLflow experiment."""
        return self._recorder.experiment_id

    def _begin_pipeline(self) -> None:
        info = self._state[self._state.root]
        run = self._recorder.begin(
            NewRun(
                info.display_name or info.name,
                run_tags(
                    info.name,
                    source=self._job.source,
                    tags=self._job.tags,
                    facts={"type": "pipeline"},
                )
                | git_tags(self._git),
            )
        )
        data = {
            name: {"source": i.path, "digest": i.digest}
            for name, i in info.inputs.items()
            if i.path is not None
        }
        self._runs[info.name] = run
        tracking = self._tracking(run.run_id, data=data, code=self._git_facts(), environment=None)
        self._state.change(info.name, tracking=tracking)
        if data:
            self._log_data(info.name, run.run_id)

    def _git_facts(self) -> dict[str, Any]:
        return {"git_commit": self._git.commit or None, "git_dirty": self._git.is_dirty}

    def _tracking(
        self,
        run_id: str,
        *,
        data: dict[str, Any],
        code: dict[str, Any] | None,
        environment: dict[str, Any] | None,
    ) -> Tracking:
        absent = {"model": _NO_MODEL, "serving": _NO_SERVING}
        if not data:
            absent["data"] = _NO_DATA
        if not code:
            absent["code"] = _NO_CODE
        if not environment:
            absent["environment"] = "each step has its own"
        return Tracking(
            uri=self.uri,
            experiment_id=self.experiment_id,
            run_id=run_id,
            data=data or None,
            code=code or None,
            environment=environment,
            absent=absent,
        )

    def describe(
        self,
        name: str,
        step: Step,
        inputs: StepInputs,
        choice: EnvironmentChoice,
        code: Mapping[str, str],
    ) -> None:
        """Note what a step is about to use; nothing is sent yet."""
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
        tracking = self._tracking("", data=data, code=snapshot, environment=environment)
        with self._lock:
            self._choices[name] = choice
        self._state.change(name, tracking=tracking)

    def begin(self, name: str, step: Step, inputs: StepInputs) -> str:
        """Begin a step's run and return its id."""
        info = self._state[name]
        run = self._recorder.begin(self._new_run(info, step))
        with self._lock:
            self._runs[name] = run
        self._state.change_tracking(name, run_id=run.run_id)
        if inputs.places:
            self._log_data(name, run.run_id)
        return run.run_id

    def _new_run(self, info: JobInfo, step: Step) -> NewRun:
        is_root = info.name == self._state.root
        tracking = info.tracking
        facts = {
            "type": info.type,
            "step": info.step or "",
            "component": component_reference(step),
            "code.hash": (tracking.code or {}).get("hash", ""),
            "environment.name": (tracking.environment or {}).get("name", ""),
            "environment.hash": (tracking.environment or {}).get("hash", ""),
        }
        tags = run_tags(
            info.name,
            source=step.component.source or self._job.source,
            parent_run=self._state[info.parent].tracking.run_id if info.parent else None,
            tags=step.tags or (self._job.tags if is_root else {}),
            facts=facts,
        )
        name = info.display_name or (info.name if is_root else step.name)
        return NewRun(name, tags | git_tags(self._git))

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
            self._recorder.later(
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
            sets = {}
            for key, facts in (info.tracking.data or {}).items():
                kind = info.inputs[key].type
                if kind not in MODEL_TYPES and facts["digest"]:
                    place = Path(facts["source"])
                    sets[key] = describe(
                        place, name=key, digest=facts["digest"], kind=kind, cache=cache
                    )
            data = {
                key: facts
                | ({"name": sets[key].name, "schema": sets[key].schema} if (key in sets) else {})
                for key, facts in (info.tracking.data or {}).items()
            }
            self._state.change_tracking(name, data=data or None)
            return [DatasetInput(dataset=found, context=key) for key, found in sets.items()]

        self._recorder.log_inputs(run_id, describe_all)

    def record_outputs(
        self, name: str, folders: StepFolders, models: Mapping[str, OutputInfo]
    ) -> None:
        """Copy a step's artifacts, log, and models into its run."""
        run = self._runs[name]
        for part in ("outputs", "logs", "user_logs"):
            folder = folders.artifacts / part
            if folder.is_dir() and any(folder.rglob("*")):
                self._recorder.upload(run, folder, part)
        for output, info in models.items():
            self._recorder.upload(run, Path(info.path), output)

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

        self._recorder.end(
            info.tracking.run_id,
            info.status,
            tags=_end_tags(info),
            params=parameters(info.inputs),
            receive=receive,
        )

    def record_reused(self, info: JobInfo, step: Step, result: JobInfo) -> None:
        """Write the run of a step that took over an earlier result, with its metrics."""

        def task(client: TrackingClient) -> None:
            new = self._new_run(info, step)
            tags = {**new.tags, "amlocal.reused_from": result.name}
            start = seconds_of(info.start_time)
            run = client.create_run(self.experiment_id, new.name, tags=tags, start_time=start)
            logged = self._logged_by(client, result)
            metrics = [
                Metric(key=key, value=value, timestamp=round(start * 1000))
                for key, value in logged.metrics.items()
            ]
            given = parameters(info.inputs)
            # Inputs alone are in the run that the tag names: a request less, of three.
            if metrics or logged.params.keys() - given.keys():
                params = {**given, **logged.params}
                client.log_batch(run.run_id, metrics=metrics, params=params)
            client.end_run(run.run_id, info.status, seconds_of(info.end_time))
            self._state.change_tracking(info.name, run_id=run.run_id, data=result.tracking.data)
            self._state.change(info.name, metrics=logged.metrics, params=logged.params)

        self._recorder.later(info.name, task)

    def _logged_by(self, client: TrackingClient, result: JobInfo) -> JobInfo:
        """Return a result with its metrics, read anew where its engine was killed before it did."""
        has_any = result.metrics or result.params or not result.tracking.run_id
        if has_any or self._services.records.status(result.parent or result.name) is (
            JobStatus.COMPLETED  # whose engine has read everything
        ):
            return result
        data = client.get_run(result.tracking.run_id)
        return msgspec.structs.replace(result, metrics=dict(data.metrics), params=dict(data.params))

    def settle(self) -> list[str]:
        """Wait until the steps' runs are written and read; returns what could not be written."""
        if names := self._command_runs():
            self._recorder.later(
                self._state.root, lambda client: self._find_registered(client, names)
            )
        self._recorder.flush()
        if self._job.type == "pipeline":
            self._sum_up(self._state[self._state.root])
        return self._recorder.errors()

    def _sum_up(self, root: JobInfo) -> None:
        steps = self._state.steps()
        metrics = {f"{s.step}.{key}": v for s in steps for key, v in s.metrics.items()}
        models = {s.step: s.tracking.model for s in steps if s.step and s.tracking.model}
        environments = {s.step: s.tracking.environment for s in steps if s.tracking.environment}
        self._state.change_tracking(
            root.name, model=models or None, environment=environments or None
        )
        root = self._state.change(root.name, metrics=metrics)
        moment = round(seconds_of(root.creation_time) * 1000)
        logged = [Metric(key=k, value=v, timestamp=moment) for k, v in metrics.items()]
        if logged:
            self._recorder.later(
                root.tracking.run_id,
                lambda client: client.log_batch(root.tracking.run_id, metrics=logged),
            )

    def close(self) -> None:
        """Close a pipeline's run, and wait until everything is written."""
        root = self._state[self._state.root]
        if self._job.type == "pipeline":
            self._recorder.end(
                root.tracking.run_id,
                root.status,
                tags=_end_tags(root),
                params=parameters(root.inputs),
                receive=lambda data: self._note_params(root.name, data),
            )
        self._recorder.close()

    def _note_params(self, name: str, data: RunData) -> None:
        self._state.change(name, params=dict(data.params))

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


def _end_tags(info: JobInfo) -> dict[str, str]:
    return {"amlocal.error": info.error} if info.error else {}

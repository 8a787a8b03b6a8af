"""Answers a monitor's questions from the records and the model registry of a workspace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.errors import NotFoundError, TargetError
from amlocal.local.assets import parse_reference
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.locations import Locations
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.monitors.facts import Deployed, MonitoredModel, Origin, collection
from amlocal.local.records import JobRecords
from amlocal.local.tracking.values import JOB_TAG
from amlocal.plan import MODEL_TYPES, DataValue, JobInfo
from amlocal.plan.monitor import TRAINED_ON, TRAINED_ON_INPUTS

_TRAINING, _VALIDATION, _TEST = (TRAINED_ON_INPUTS[context] for context in TRAINED_ON)
_TARGETS = ("target", "target_column_name", "target_column", "label")
_MLMODEL = "MLmodel"


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """`monitors.facts.Facts` of a workspace.

    Attributes:
        endpoints: Its online endpoints.
        models: Its model registry.
        records: Its jobs.
        locations: Turns addresses into places.
    """

    endpoints: EndpointRecords
    models: ModelRegistry
    records: JobRecords
    locations: Locations

    def deployed(self, endpoint: str, deployment: str) -> Deployed:
        """Return a deployment; raises NotFoundError."""
        record = self.endpoints.get_deployment(endpoint, deployment)
        version = record.served or record.version
        collector = version.plan.data_collector
        collections = collector.collections if collector is not None else {}
        model = None
        if version.model_path:
            model = _model(version.model, Path(version.model_path), version.run_id)
        return Deployed(
            endpoint,
            deployment,
            {
                name: collection(endpoint, deployment, name)
                for name, settings in collections.items()
                if settings.enabled
            },
            model,
            collector.redacted if collector is not None else (),
            version.choice if version.choice.kind == "isolated" else None,
        )

    def model(self, reference: str) -> MonitoredModel:
        """Return a registered model by `azureml:NAME:VERSION`; raises NotFoundError."""
        name, version, label = parse_reference(reference)
        with self.models.client_for(name) as client:
            found = self.models.find(client, name, version, label)
            path = self.models.path_of(client, found)
        if path is None:
            raise TargetError(f"the files of model {name}:{found.version} are not on this machine")
        return _model(f"{found.name}:{found.version}", path, found.run_id)

    def origin(self, model: MonitoredModel) -> Origin:
        """Return what a model was made of: of the job whose run it says it was trained in.

        Its test data is that of the job, else what was given to other steps beside the model.

        Raises:
            NotFoundError: No job of the workspace is known to have trained it.
        """
        trainer = self._trainer(model)
        own = _data(trainer)
        found = {
            "training": _named(own, _TRAINING) or _only(own),
            "validation": _named(own, _VALIDATION),
            "test": _named(own, _TEST),
        }
        for judge in self._judges(trainer):
            given = _data(judge)
            found["test"] = found["test"] or _named(given, _TEST)
            found["validation"] = found["validation"] or _named(given, _VALIDATION)
            if not any(name in given for name in _TRAINING[:-1]):
                found["test"] = found["test"] or given.get(_TRAINING[-1])
        data = {context: value for context, value in found.items() if value is not None}
        return Origin(trainer.name, data, model.target or _target(trainer))

    def columns(self, address: str) -> tuple[str, ...]:
        """Return the columns of what an endpoint collected; none where nothing is known."""
        place = self.locations.place(address)
        files = sorted(place.rglob("*.jsonl")) if place.is_dir() else []
        # The newest: what the deployment says now.
        for file in reversed(files):
            with file.open("rb") as lines:
                first = lines.readline()
            if first.endswith(b"\n") and (found := _columns(first)):
                return found
        return ()

    def _trainer(self, model: MonitoredModel) -> JobInfo:
        for run_id in model.run_ids:
            job = self._job_of(run_id)
            if job is not None:
                return self._maker(job, set())
        raise NotFoundError(
            f"it is not known which job of this workspace trained the model {model.label}",
            hint="say what it was made of: reference_data.input_data",
        )

    def _job_of(self, run_id: str) -> JobInfo | None:
        with self.models.client() as client:
            try:
                name = client.get_run(run_id).tags.get(JOB_TAG, "")
            except NotFoundError:
                return None  # of another workspace, or deleted
        return self.records.get(name) if self.records.has(name) else None

    def _maker(self, job: JobInfo, seen: set[str]) -> JobInfo:
        """Return the step that wrote the model which a step took; else the step itself."""
        seen.add(job.name)
        taken = {each.digest for each in job.inputs.values() if each.type in MODEL_TYPES}
        for other in self._beside(job):
            if other.name not in seen and taken & _models(other):
                return self._maker(other, seen)
        return job

    def _judges(self, trainer: JobInfo) -> Iterable[JobInfo]:
        """Give the steps that were given the model that a step wrote."""
        written = _models(trainer)
        for other in self._beside(trainer):
            if written & {each.digest for each in other.inputs.values()}:
                yield other

    def _beside(self, job: JobInfo) -> Sequence[JobInfo]:
        root = self.records.get(self.records.root_of(job.name))
        return [info for info in root.tree() if info.step]


def _model(label: str, path: Path, run_id: str) -> MonitoredModel:
    file = path / _MLMODEL
    if not file.is_file():
        return MonitoredModel(label, str(path), run_ids=(run_id,) if run_id else ())
    import yaml  # only monitors' runs pay for it

    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TargetError(f"{file} is no YAML: {error}") from error
    described: Mapping[str, Any] = said if isinstance(said, dict) else {}
    metadata = described.get("metadata") or {}
    asked = (described.get("signature") or {}).get("inputs")
    columns = json.loads(asked) if asked else []
    run_ids = (str(metadata.get("training_run_id", "")), str(described.get("run_id") or ""), run_id)
    return MonitoredModel(
        label=label,
        path=str(path),
        features=tuple(each["name"] for each in columns if "name" in each),
        target=str(metadata.get("target", "")),
        run_ids=tuple(dict.fromkeys(filter(None, run_ids))),
        predicts="python_function" in (described.get("flavors") or {}),
    )


def _data(job: JobInfo) -> dict[str, DataValue]:
    """Return the data that a job took, by input, from where it was."""
    found = {}
    for name, facts in (job.tracking.data or {}).items():
        given = job.inputs.get(name)
        if given is not None and given.type not in MODEL_TYPES:
            found[name] = DataValue(path=str(facts["source"]), type=given.type)
    return found


def _models(job: JobInfo) -> frozenset[str]:
    return frozenset(each.digest for each in job.outputs.values() if each.type in MODEL_TYPES)


def _named(data: Mapping[str, DataValue], names: Sequence[str]) -> DataValue | None:
    return next((data[name] for name in names if name in data), None)


def _only(data: Mapping[str, DataValue]) -> DataValue | None:
    rest = [value for name, value in data.items() if name not in (*_VALIDATION, *_TEST)]
    return rest[0] if len(rest) == 1 else None


def _target(job: JobInfo) -> str:
    given = (job.inputs[name].value for name in _TARGETS if name in job.inputs)
    return next((value for value in given if isinstance(value, str)), "")


def _columns(line: bytes) -> tuple[str, ...]:
    """Return the columns of a collected event's rows."""
    try:
        rows = json.loads(line)["data"]
    except (ValueError, KeyError, TypeError):
        return ()  # not of the collector; whoever reads it says so
    first = rows[0] if isinstance(rows, list) and rows else None
    return tuple(first) if isinstance(first, dict) else ()

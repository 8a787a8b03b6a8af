"""What batch deployments are made of, kept so that it outlives the files it came from.

As in Azure, what is edited after a deployment was created does not count. In the workspace::

    batch/versions/ID.json   a deployment as it is invoked; its environment variables may be secret
    batch/code/DIGEST/       code folders, by content
    batch/models/DIGEST/     models that no registry has, under their own name
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import TargetError, UsageError, not_found
from amlocal.files import write_whole
from amlocal.local.artifacts import Artifacts
from amlocal.local.assets import parse_reference
from amlocal.local.digests import Digests, tree_digest
from amlocal.local.locations import Locations
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.model_tags import asset_info
from amlocal.local.snapshot import Snapshots
from amlocal.plan import BatchDeployment, Environment, ModelSource, Step
from amlocal.plan.base import Value


class KeptModel(Value, frozen=True):
    """The model of a deployment.

    Attributes:
        path: What a job takes it from: `azureml:NAME:VERSION`, an address, or a path.
        label: What people call it.
        type: `custom_model`, `mlflow_model`, or `triton_model`.
        file_name: What it is called in `AZUREML_MODEL_DIR`.
    """

    path: str
    label: str
    type: str
    file_name: str


class BatchVersion(Value, frozen=True):
    """A deployment as it is invoked: its code, its model, and its environment are settled.

    Attributes:
        deployment: The deployment.
        model: Its model, or None of a pipeline.
    """

    deployment: BatchDeployment
    model: KeptModel | None = None


@dataclass(frozen=True, slots=True)
class BatchStore:
    """Keeps what deployments are made of.

    Attributes:
        folder: Where.
    """

    folder: Path
    artifacts: Artifacts
    digests: Digests
    locations: Locations
    models: ModelRegistry
    snapshots: Callable[[], Snapshots]

    def keep(self, deployment: BatchDeployment) -> tuple[str, BatchVersion]:
        """Keep a deployment; returns the id of the version, and what was settled.

        Raises:
            SpecError: Its code is not there.
            NotFoundError: There is no such model.
            UsageError: It has neither a model nor a pipeline, or a model that nothing scores with.
            TargetError: The model's files are not there.
        """
        with self.artifacts.in_use():
            version = self._settled(deployment)
        identity = uuid.uuid4().hex
        write_whole(self._file(identity), version.to_json(), mode=0o600)
        return identity, version

    def read(self, identity: str) -> BatchVersion:
        """Return a version."""
        return BatchVersion.from_json(self._file(identity).read_bytes())

    def forget(self, identity: str) -> None:
        """Remove a version; jobs that it was invoked for have what they need of it."""
        self._file(identity).unlink(missing_ok=True)

    def _file(self, identity: str) -> Path:
        return self.folder / "versions" / f"{identity}.json"

    def _settled(self, plan: BatchDeployment) -> BatchVersion:
        if plan.pipeline is not None:
            steps = tuple(map(self._step_with_code, plan.pipeline.steps))
            pipeline = msgspec.structs.replace(plan.pipeline, steps=steps)
            return BatchVersion(deployment=msgspec.structs.replace(plan, pipeline=pipeline))
        if plan.model is None:
            raise UsageError(
                f"the batch deployment {plan.name} has neither a model nor a component",
                hint="give one of them",
            )
        model, place = self._model(plan.model)
        if plan.scoring_script is None and model.type != "mlflow_model":
            raise UsageError(
                f"the model {model.label} is no MLflow model, and so needs a scoring script",
                hint="add code_configuration: with code: and scoring_script:",
            )
        environment = plan.environment or environment_of_model(place, model.label)
        code = self._code(plan.code, ())
        if (
            plan.scoring_script is not None
            and not (Path(code or "") / plan.scoring_script).exists()
        ):
            raise UsageError(
                f"there is no scoring script {plan.scoring_script} in {plan.code}",
                hint="scoring_script is a path below code",
            )
        settled = msgspec.structs.replace(plan, code=code, environment=environment)
        return BatchVersion(deployment=settled, model=model)

    def _step_with_code(self, step: Step) -> Step:
        component = step.component
        code = self._code(component.code, component.additional_includes)
        kept = msgspec.structs.replace(component, code=code, additional_includes=())
        return msgspec.structs.replace(step, component=kept)

    def _code(self, code: str | None, includes: tuple[str, ...]) -> str | None:
        """Return where a code folder is kept."""
        files = self.snapshots().take(code, includes)
        if not files:
            return None
        digest = tree_digest(files)
        place = self.folder / "code" / digest[:24]
        if not place.exists():
            self.artifacts.restore(digest, place)
        return str(place)

    def _model(self, source: ModelSource) -> tuple[KeptModel, Path]:
        """Return a model as it is kept, and where it is on this machine."""
        if source.reference and not source.reference.startswith("azureml://"):
            return self._registered(source.reference)
        address = source.path or source.reference
        found = self.locations.existing(address).resolve()
        digest = self.artifacts.store(found, link=False)
        place = self.folder / "models" / digest[:24] / found.name
        if not place.exists():
            self.artifacts.restore(digest, place)
        label = f"{source.name}:{source.version or 1}" if source.name else address
        kind = _type_of(place, source.type)
        return KeptModel(path=str(place), label=label, type=kind, file_name=found.name), place

    def _registered(self, reference: str) -> tuple[KeptModel, Path]:
        name, number, label = parse_reference(reference)
        if name not in self.models.names():
            error = not_found("model", name, self.models.names())
            error.hint = error.hint or f"register it: aml model create -n {name} -p PATH"
            raise error
        with self.models.client_for(name) as client:
            found = self.models.find(client, name, number, label)
            place = self.models.path_of(client, found)
        if place is None or not place.exists():
            # Says so, and what to do.
            place = self.models.local_path(name, found.version)
        kept = KeptModel(
            path=f"azureml:{found.name}:{found.version}",
            label=f"{found.name}:{found.version}",
            type=asset_info(found, place).type,
            file_name="model" if place.is_dir() else place.name,
        )
        return kept, place

    def unneeded(self) -> Iterator[Path]:
        """Yield the kept code and models that no deployment is made of any more."""
        used = "".join(
            file.read_text(encoding="utf-8") for file in (self.folder / "versions").glob("*.json")
        )
        for kind in ("code", "models"):
            place = self.folder / kind
            for folder in place.iterdir() if place.exists() else ():
                if str(folder) not in used:
                    yield folder


def _type_of(place: Path, said: str) -> str:
    return "mlflow_model" if (place / "MLmodel").is_file() else said


def environment_of_model(folder: Path, label: str) -> Environment | None:
    """Return the environment that an MLflow model was saved with, or None where it says none.

    Raises:
        TargetError: Its file cannot be read.
    """
    file = folder / "conda.yaml"
    if not file.is_file():
        return None
    import yaml  # only deployments of MLflow models pay for it

    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TargetError(f"{file} is not YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise TargetError(f"{file} is no conda file", hint="save the model again")
    return Environment(conda={**content, "name": f"of model {label}"})

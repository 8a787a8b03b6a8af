"""What batch deployments are made of, kept so that it outlives the files it came from.

As in Azure, what is edited after a deployment was created does not count. In the workspace::

    batch/versions/ID.json   a deployment as it is invoked; its environment variables may be secret
    batch/code/DIGEST/       code folders, by content
    batch/models/DIGEST/     models that no registry has, under their own name
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amlocal.errors import UsageError
from amlocal.files import write_whole
from amlocal.local.artifacts import Artifacts
from amlocal.local.endpoints.environment import environment_of_model
from amlocal.local.endpoints.models import find_model
from amlocal.local.kept_code import KeptCode
from amlocal.local.locations import Locations
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.snapshot import Snapshots
from amlocal.plan import BatchDeployment, Environment
from amlocal.plan.base import Value


class KeptModel(Value, frozen=True):
    """The model of a deployment.

    Attributes:
        path: What a job takes it from: `azureml:NAME:VERSION`, an address, or a path.
        label: What people call it.
        type: `custom_model`, `mlflow_model`, or `triton_model`.
        file_name: What it is called in `AZUREML_MODEL_DIR`.
        environment: Of an MLflow model, what it was saved with, or None.
    """

    path: str
    label: str
    type: str
    file_name: str
    environment: Environment | None = None


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
            steps = tuple(map(self._code.of_step, plan.pipeline.steps))
            pipeline = msgspec.structs.replace(plan.pipeline, steps=steps)
            return BatchVersion(deployment=msgspec.structs.replace(plan, pipeline=pipeline))
        model = self._model(plan)
        if model is None:
            raise UsageError(
                f"the batch deployment {plan.name} has neither a model nor a component",
                hint="give one of them",
            )
        if plan.scoring_script is None and model.type != "mlflow_model":
            raise UsageError(
                f"the model {model.label} is no MLflow model, and so needs a scoring script",
                hint="add code_configuration: with code: and scoring_script:",
            )
        code = self._code.of(plan.code, ())
        if (
            plan.scoring_script is not None
            and not (Path(code or "") / plan.scoring_script).exists()
        ):
            raise UsageError(
                f"there is no scoring script {plan.scoring_script} in {plan.code}",
                hint="scoring_script is a path below code",
            )
        environment = plan.environment or model.environment
        settled = msgspec.structs.replace(plan, code=code, environment=environment)
        return BatchVersion(deployment=settled, model=model)

    @property
    def _code(self) -> KeptCode:
        return KeptCode(self.folder / "code", self.artifacts, self.snapshots)

    def _model(self, plan: BatchDeployment) -> KeptModel | None:
        """Return the model of a deployment as it is kept; one that may change is copied."""
        found = find_model(plan, self.models, self.locations)
        if found is None:
            return None
        path = f"azureml:{found.name}:{found.version}"
        if found.may_change:
            digest = self.artifacts.store(found.path, link=False)
            place = self.folder / "models" / digest[:24] / found.file_name
            if not place.exists():
                self.artifacts.restore(digest, place)
            path = str(place)
        is_mlflow = (found.path / "MLmodel").is_file()
        return KeptModel(
            path=path,
            label=found.label,
            type="mlflow_model" if is_mlflow else found.type,
            file_name=found.file_name,
            environment=environment_of_model(found) if is_mlflow else None,
        )


def unused_parts(folder: Path) -> Iterator[Path]:
    """Yield the code and the models, in a store's folder, that no deployment is made of."""
    versions = (folder / "versions").glob("*.json")
    used = "".join(file.read_text(encoding="utf-8") for file in versions)
    for kind in ("code", "models"):
        place = folder / kind
        for part in place.iterdir() if place.exists() else ():
            if str(part) not in used:
                yield part

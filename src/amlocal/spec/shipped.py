"""Components of Azure's registry that are answered by components of this package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amlocal.plan import Component

#: Where they are: one file each, named as in the registry `azureml`.
FOLDER = Path(__file__).with_name("builtin")

#: The property of a pipeline job that names what answers them; Azure keeps it with the job.
ENGINE = "amlocal.responsible_ai.engine"


@dataclass(frozen=True)
class Engine:
    """What answers them.

    Attributes:
        program: The module that is run.
        environment: The name of the environment that it is run in.
        conda: That environment's packages.
    """

    program: str
    environment: str
    conda: Path

    def answers(self, component: Component) -> Component:
        """Return a component of this package with its command by this engine.

        Its environment is named, and without the conda file that is to be read.
        """
        assert component.environment is not None
        return msgspec.structs.replace(
            component,
            command=component.command.replace("python -m raikit ", f"python -m {self.program} ", 1),
            environment=msgspec.structs.replace(component.environment, name=self.environment),
        )


#: By the value of the property.
ENGINES = {
    "amlocal": Engine("raikit", "amlocal-responsible", FOLDER / "conda.yml"),
    "responsibleai": Engine(
        "raikit.microsoft", "amlocal-responsibleai", FOLDER / "conda-responsibleai.yml"
    ),
}
DEFAULT_ENGINE = "amlocal"
#: What responsibleai has nothing for.
_OWN = frozenset({"rai_tabular_score_card"})


def engine_of(component: str, name: str) -> Engine:
    """Return the engine of a component.

    Args:
        component: Its name.
        name: The engine that the job asks for.
    """
    return ENGINES[DEFAULT_ENGINE if component in _OWN else name]


_REFERENCE = re.compile(
    r"azureml://registries/azureml/components/(?:microsoft_azureml_)?(?P<name>rai_tabular_[a-z_]+)"
    r"(?:/(?:versions|labels)/[^/]+)?"
)


def shipped_component(reference: str) -> Path | None:
    """Return the file that answers a reference to Azure's registry, or None where none does.

    A component has one signature in all its versions, so the version does not count.

    Args:
        reference: Such as `azureml://registries/azureml/components/rai_tabular_causal/versions/1`.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    file = FOLDER / f"{found['name']}.yml"
    return file if file.is_file() else None

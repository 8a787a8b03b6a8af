from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import not_found
from amlocal.plan import Component, Input, Output, PipelineComponent


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files of a project, the current folder, and return the path of the last."""
    monkeypatch.chdir(tmp_path)

    def files(**texts: str) -> Path:
        path = tmp_path
        for name, text in texts.items():
            path = tmp_path / f"{name}.yml"
            path.write_text(textwrap.dedent(text))
        return path

    return files


@pytest.fixture
def sdk() -> Any:
    """Give azure-ai-ml, which takes seconds to import."""
    import azure.ai.ml
    import azure.ai.ml.sweep

    return azure.ai.ml


@dataclass
class Registry:
    """Registered components, by name and version."""

    components: dict[str, Component] = field(default_factory=dict)
    pipelines: dict[str, PipelineComponent] = field(default_factory=dict)
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def component(self, name: str, version: str | None, label: str | None) -> Component:
        self.asked.append((name, version, label))
        if name not in self.components:
            raise not_found("component", name, self.components)
        return self.components[name]

    def pipeline_component(
        self, name: str, version: str | None, label: str | None
    ) -> PipelineComponent:
        self.asked.append((name, version, label))
        if name not in self.pipelines:
            raise not_found("component", name, self.pipelines)
        return self.pipelines[name]


@pytest.fixture
def registry() -> Registry:
    """Holds one component, `train`."""
    train = Component(
        name="train",
        version="3",
        command="train ${{inputs.rounds}} ${{outputs.model}}",
        inputs={"rounds": Input(type="integer", default=10)},
        outputs={"model": Output(type="mlflow_model")},
    )
    return Registry({"train": train})

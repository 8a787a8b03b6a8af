"""Components of Azure's registry that this package answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.spec import compile_job
from amlocal.spec.fields import ledger
from amlocal.spec.shipped import ENGINES, FOLDER, shipped_component

REGISTRY = "azureml://registries/azureml/components"
FILES = sorted(FOLDER.glob("rai_*.yml"))
GIVEN = {
    "rai_tabular_insight_constructor": (
        "title: T, task_type: regression, model_info: 'm:1', train_dataset: {path: ./d}, "
        "test_dataset: {path: ./d}, target_column_name: y"
    ),
    "rai_tabular_explanation": "comment: c, rai_insights_dashboard: {path: ./d}",
    "rai_tabular_causal": "treatment_features: '[]', rai_insights_dashboard: {path: ./d}",
    "rai_tabular_counterfactual": "total_CFs: 5, rai_insights_dashboard: {path: ./d}",
    "rai_tabular_erroranalysis": "max_depth: 4, rai_insights_dashboard: {path: ./d}",
    "rai_tabular_insight_gather": "constructor: {path: ./d}",
    "rai_tabular_score_card": "dashboard: {path: ./d}, pdf_generation_config: {path: ./d}",
}


def job_of(
    write: Write, name: str, inputs: str, version: str = "versions/0.21.0", engine: str = ""
) -> Path:
    properties = f"properties: {{amlocal.responsible_ai.engine: {engine}}}" if engine else ""
    return write(
        job=f"""
type: pipeline
{properties}
jobs:
  a:
    type: command
    component: {REGISTRY}/{name}/{version}
    inputs: {{{inputs}}}
"""
    )


@pytest.mark.parametrize("prefix", ["", "microsoft_azureml_"])
@pytest.mark.parametrize("name", GIVEN)
def test_azures_components_are_answered(
    write: Write, registry: Any, tmp_path: Path, name: str, prefix: str
) -> None:
    file = job_of(write, prefix + name, GIVEN[name])
    (file.parent / "d").mkdir()
    (step,) = compile_job(file, assets=registry).steps
    component = step.component
    assert component.name == name
    assert registry.asked == []
    included = {Path(each).name for each in component.additional_includes}
    assert included == {"raikit", "stepkit"}
    assert all(Path(each).is_dir() for each in component.additional_includes)
    assert component.environment is not None
    assert component.environment.conda is not None
    assert component.command.startswith("python -m raikit ")


def answered(write: Write, registry: Any, name: str, engine: str) -> Any:
    file = job_of(write, name, GIVEN[name], engine=engine)
    (file.parent / "d").mkdir(exist_ok=True)
    (step,) = compile_job(file, assets=registry).steps
    return step.component


@pytest.mark.parametrize("name", sorted(set(GIVEN) - {"rai_tabular_score_card"}))
def test_the_engine_responsibleai_runs_in_its_own_packages(
    write: Write, registry: Any, name: str
) -> None:
    own = answered(write, registry, name, "amlocal")
    other = answered(write, registry, name, "responsibleai")
    # The same arguments, of another program.
    assert other.command == own.command.replace("raikit", "raikit.microsoft", 1)
    assert other.environment.name == "amlocal-responsibleai"
    assert "responsibleai~=0.36.0" in other.environment.conda["dependencies"][-1]["pip"]
    assert other.environment.conda["dependencies"][0] == "python=3.10"


def test_the_scorecard_is_this_projects_by_either_engine(write: Write, registry: Any) -> None:
    found = [answered(write, registry, "rai_tabular_score_card", name) for name in ENGINES]
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_engine_is_told_of_a_job_that_was_built_in_python(
    write: Write, registry: Any, sdk: Any
) -> None:
    name = "rai_tabular_erroranalysis"
    file = job_of(write, name, GIVEN[name], engine="responsibleai")
    (file.parent / "d").mkdir()
    (step,) = compile_job(sdk.load_job(file), assets=registry).steps
    assert step.component.command.startswith("python -m raikit.microsoft erroranalysis")


def test_a_job_that_was_compiled_is_compiled_again_for_another_engine(
    write: Write, registry: Any, tmp_path: Path
) -> None:
    name = "rai_tabular_erroranalysis"
    commands = set()
    for engine in ENGINES:
        file = job_of(write, name, GIVEN[name], engine=engine)
        (file.parent / "d").mkdir(exist_ok=True)
        (step,) = compile_job(file, assets=registry, cache=tmp_path / "cache").steps
        commands.add(step.component.command)
    assert len(commands) == len(ENGINES)


def test_an_unknown_engine_is_a_problem_of_its_line(write: Write, registry: Any) -> None:
    name = "rai_tabular_erroranalysis"
    file = job_of(write, name, GIVEN[name], engine="responsibelai")
    (file.parent / "d").mkdir()
    with pytest.raises(SpecError) as caught:
        compile_job(file, assets=registry)
    (problem,) = caught.value.problems
    assert problem.line == 3
    assert "responsibleai" in problem.hint


def test_the_engine_runs_in_the_packages_that_models_are_trained_in() -> None:
    root = Path(__file__).parents[3]
    told = yaml.safe_load((root / "environments/responsibleai/conda.yml").read_text())
    assert yaml.safe_load(ENGINES["responsibleai"].conda.read_text()) == told


def test_what_they_do_not_take_is_a_problem_here(write: Write, registry: Any) -> None:
    file = job_of(write, "rai_tabular_insight_gather", "constructor: {path: ./d}, insight_9: x")
    (file.parent / "d").mkdir()
    with pytest.raises(SpecError, match="insight_9"):
        compile_job(file, assets=registry)


def test_in_azure_the_reference_stays_azures(write: Write) -> None:
    file = job_of(write, "rai_tabular_insight_gather", "constructor: {path: ./d}, insight_9: x")
    (file.parent / "d").mkdir()
    with pytest.raises(SpecError) as caught:
        compile_job(file)
    assert all(each.target for each in caught.value.problems)


@pytest.mark.parametrize(
    "reference",
    [
        f"{REGISTRY}/rai_vision_insights/versions/1",
        "azureml://registries/mine/components/rai_tabular_causal/versions/1",
        "azureml:rai_tabular_causal:1",
    ],
)
def test_others_are_not(reference: str) -> None:
    assert shipped_component(reference) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_input_is_in_the_ledger(file: Path) -> None:
    assert set(yaml.safe_load(file.read_text())["inputs"]) == set(ledger()[file.stem])


def test_their_packages_are_those_of_the_extra() -> None:
    from packaging.requirements import Requirement

    def named(lines: list[Any]) -> set[str]:
        return {Requirement(line).name for line in lines}

    conda = yaml.safe_load((FOLDER / "conda.yml").read_text())["dependencies"]
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    lines = text.split("\nresponsible = [")[1].split("\n]")[0].splitlines()
    extra = [line.strip(' ,"') for line in lines if line.strip().startswith('"')]
    assert named(extra) <= named(conda[-1]["pip"])

"""The files that are submitted: they load with Azure's SDK, and fit the programs."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gatekit.policy import read_policy

ROOT = Path(__file__).parents[2]
COMPONENTS = sorted(path.parent.name for path in (ROOT / "components").glob("*/component.yml"))
EXAMINING = ["evaluate", "check_generalisation", "profile", "explain", "responsible_ai"]
STEPS = ["check_data", "split", "train", *EXAMINING, "gate", "register", "report"]
DEFAULTS = {"string": "a b", "number": "0.5", "integer": "1", "boolean": "True"}


def component(name: str) -> dict:
    return yaml.safe_load((ROOT / "components" / name / "component.yml").read_text())


def arguments_of(spec: dict, *, optional: bool) -> list[str]:
    """Return a component's command with every input bound, as the program receives it."""
    command = re.sub(r"\$\[\[(.*?)\]\]", r"\1" if optional else "", spec["command"])

    def value(reference: re.Match[str]) -> str:
        kind, _, name = reference[1].partition(".")
        declared = spec[kind][name]
        default = declared.get("default", DEFAULTS.get(declared["type"], f"/data/{name}"))
        return str(default)

    words = shlex.split(re.sub(r"\$\{\{(.*?)\}\}", value, command))
    assert words[0] == "python"
    return words[2:]


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_calls_its_program_with_arguments_that_it_has(
    name: str, optional: bool
) -> None:
    spec = component(name)
    program = importlib.import_module(Path(shlex.split(spec["command"])[1]).stem)
    args = program.parse(arguments_of(spec, optional=optional))
    declared = spec["inputs"]
    for argument, value in vars(args).items():
        if argument in declared and declared[argument]["type"] == "string":
            given = optional or not declared[argument].get("optional", False)
            expected = declared[argument].get("default", "a b") if given else None
            assert value in (expected, (expected,), "", ())


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_input_and_output_of_a_component_is_in_its_command(name: str) -> None:
    spec = component(name)
    used = set(re.findall(r"\$\{\{(.*?)\}\}", spec["command"]))
    declared = {f"{kind}.{each}" for kind in ("inputs", "outputs") for each in spec[kind]}
    assert used == declared


@pytest.mark.filterwarnings("ignore:::azure", "ignore:::marshmallow", "ignore:::msrest")
def test_azures_sdk_loads_every_file() -> None:
    from azure.ai.ml import load_component, load_environment, load_job

    for name in COMPONENTS:
        assert load_component(ROOT / "components" / name / "component.yml").name == name
    assert load_environment(ROOT / "environments/lifecycle/environment.yml").name == "lifecycle"
    pipeline = load_job(ROOT / "jobs/lifecycle.yml")
    assert list(pipeline.jobs) == STEPS
    for name, step in pipeline.jobs.items():
        assert set(step.inputs) <= set(component(name)["inputs"])
    assert "check_tuning" in load_job(ROOT / "jobs/sweep.yml").jobs
    assert "compare" in load_job(ROOT / "jobs/compare.yml").jobs
    train = load_job(ROOT / "jobs/train.yml")
    assert train.environment.image.startswith("mcr.microsoft.com/azureml/")


@pytest.mark.filterwarnings("ignore:::azure", "ignore:::marshmallow", "ignore:::msrest")
def test_another_table_needs_inputs_only(tmp_path: Path) -> None:
    from azure.ai.ml import load_job

    overrides = [{"inputs.data.path": "../data/cps1988.parquet"}, {"inputs.target": "wage"}]
    load_job(ROOT / "jobs/lifecycle.yml", params_override=overrides).dump(tmp_path / "job.yml")
    inputs = yaml.safe_load((tmp_path / "job.yml").read_text())["inputs"]
    assert inputs["data"]["path"].endswith("cps1988.parquet")
    assert inputs["target"] == "wage"


@pytest.mark.filterwarnings("ignore:::azure", "ignore:::marshmallow", "ignore:::msrest")
def test_a_candidate_is_an_input_that_the_file_leaves_out(tmp_path: Path) -> None:
    from azure.ai.ml import load_job

    place = "jobs.train.inputs.candidate"
    overrides = [{f"{place}.type": "mlflow_model"}, {f"{place}.path": "azureml:adult:1"}]
    load_job(ROOT / "jobs/lifecycle.yml", params_override=overrides).dump(tmp_path / "job.yml")
    step = yaml.safe_load((tmp_path / "job.yml").read_text())["jobs"]["train"]
    assert step["inputs"]["candidate"] == {"type": "mlflow_model", "path": "azureml:adult:1"}


def test_the_gate_gets_every_report_and_register_the_decision() -> None:
    jobs = yaml.safe_load((ROOT / "jobs/lifecycle.yml").read_text())["jobs"]
    told = {
        step: f"${{{{parent.jobs.{step}.outputs.report}}}}" for step in ("check_data", *EXAMINING)
    }
    assert set(told.values()) <= set(jobs["gate"]["inputs"].values())
    assert set(told.values()) <= set(jobs["report"]["inputs"].values())
    for name in ("lifecycle", "compare"):
        jobs = yaml.safe_load((ROOT / f"jobs/{name}.yml").read_text())["jobs"]
        assert jobs["register"]["inputs"]["decision"] == "${{parent.jobs.gate.outputs.decision}}"
        assert jobs["register"]["inputs"]["model"] == jobs["evaluate"]["inputs"]["model"]


@pytest.mark.parametrize("policy", sorted((ROOT / "jobs/policies").glob("*.yml")), ids=str)
def test_the_policies_are_read(policy: Path) -> None:
    read = read_policy(policy)
    assert read.name == policy.stem
    assert {rule.task for rule in read.rules if rule.is_required} >= {
        "classification",
        "regression",
    }


def test_the_tuning_is_checked_in_the_space_that_is_searched() -> None:
    jobs = yaml.safe_load((ROOT / "jobs/sweep.yml").read_text())["jobs"]
    told = jobs["check_tuning"]["inputs"]
    assert yaml.safe_load(told["search_space"]) == jobs["tune"]["search_space"]
    assert f"cv_{told['metric']}" == jobs["tune"]["objective"]["primary_metric"]


def test_the_command_job_calls_train_with_arguments_that_it_has() -> None:
    job = yaml.safe_load((ROOT / "jobs/train.yml").read_text())
    command = re.sub(r"\$\{\{\w+\.(\w+)\}\}", lambda each: f"<{each[1]}>", job["command"])
    flags = re.findall(r"--([\w-]+)", command)
    known = {name.replace("_", "-") for name in component("train")["inputs"]} | {"model"}
    assert set(flags) <= known


def sources() -> list[Path]:
    return [*(ROOT / "components").glob("*/*.py"), *(ROOT / "src/stepkit").glob("*.py")]


def test_step_programs_do_not_know_amlocal() -> None:
    for source in sources():
        for node in ast.walk(ast.parse(source.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name and name.startswith("amlocal")], source


def test_stepkit_is_light_until_a_module_is_named() -> None:
    program = "import sys, stepkit, stepkit.program; print({'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


#: What each environment of the steps is imported by, so that its packages are there and load.
ENVIRONMENTS = {
    "lifecycle": "interpret.glassbox, matplotlib, mlflow, pandas, pandera, sklearn, uvicorn",
    "responsible": "dice_ml, econml.dml, fairlearn.metrics, lightgbm, mlflow, reportlab, shap",
    "scoring": "azureml_inference_server_http, interpret.glassbox, mlflow, pandas, sklearn",
}


def requirements(environment: str) -> list[str]:
    conda = yaml.safe_load((ROOT / "environments" / environment / "conda.yml").read_text())
    return conda["dependencies"][-1]["pip"]


# That of release needs this very package, which is on no index before it is published.
@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "release"])
def test_this_environment_satisfies_the_conda_file(environment: str) -> None:
    from importlib.metadata import version

    from packaging.requirements import Requirement

    for line in requirements(environment):
        requirement = Requirement(line)
        assert requirement.specifier.contains(version(requirement.name)), line


@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12"])
@pytest.mark.parametrize("environment", list(ENVIRONMENTS))
def test_the_conda_file_resolves(tmp_path: Path, environment: str, python: str) -> None:
    (tmp_path / "requirements.in").write_text("\n".join(requirements(environment)))
    uv = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--python-version", python]
    done = subprocess.run([*uv, str(tmp_path / "requirements.in")], check=False, timeout=240)
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "responsibleai"])
def test_the_conda_file_installs(tmp_path: Path, environment: str) -> None:
    if environment == "responsibleai" and sys.version_info >= (3, 12):
        pytest.skip("Microsoft's toolbox needs packages that are of Python 3.11 at the latest")
    (tmp_path / "requirements.txt").write_text("\n".join(requirements(environment)))
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv/bin/python"
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "-r", str(tmp_path / "requirements.txt")], check=True)
    imports = ENVIRONMENTS.get(environment, "mlflow, raiwidgets, responsibleai")
    subprocess.run([str(python), "-I", "-c", f"import {imports}"], check=True)

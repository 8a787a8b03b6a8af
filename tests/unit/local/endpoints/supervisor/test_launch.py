from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from amlocal.errors import UsageError
from amlocal.local.endpoints.supervision import Programs
from amlocal.local.endpoints.supervisor.instance import Launch
from amlocal.local.endpoints.supervisor.launch import Launcher
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice, ResolvedEnvironment
from amlocal.plan import OnlineDeployment

CURRENT = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")
ISOLATED = EnvironmentChoice("isolated", "env", "0" * 64, "3.11", "/usr/bin/python3")
ENVIRON = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1", "MLFLOW_RUN_ID": "r", "HOME": "/h"}


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return Launcher(Programs(), tmp_path / "endpoints", ENVIRON, tmp_path)


def launch(
    launcher: Launcher,
    choice: EnvironmentChoice = CURRENT,
    *,
    variables: str = "{}",
    instances: int = 1,
    **plan: Any,
) -> Launch:
    folder = launcher.sockets / "version"
    folder.mkdir(exist_ok=True)
    (folder / "variables.json").write_text(variables)
    version = DeploymentVersion(
        plan=OnlineDeployment(name="blue", endpoint_name="adult", **plan),
        folder=str(folder),
        choice=choice,
        model_dir="/m",
        model_path="/m/model",
        app="/app/code" if plan else "",
    )
    environment = ResolvedEnvironment(choice, Path("/env/bin/python"), (Path("/env/bin"),))
    return launcher.launch("blue-0", version, environment, instances, 8000)


def test_an_mlflow_model_is_served_at_a_socket(launcher: Launcher, tmp_path: Path) -> None:
    found = launch(launcher)
    socket = str(tmp_path / "0.sock")
    assert found.address == f"unix:{socket}"
    assert found.program == (
        *("/env/bin/python", "-m", "scoringserver"),
        *("--model", "/m/model", "--socket", socket),
    )
    assert launch(launcher).address == f"unix:{tmp_path / '1.sock'}"
    assert found.folder == tmp_path / "version"


def test_an_instance_sees_its_own_environment(launcher: Launcher) -> None:
    found = launch(launcher, variables='{"HOME": "/mine"}').variables
    assert found["PATH"] == "/env/bin:/bin"
    assert (found["HOME"], found["AZUREML_MODEL_DIR"]) == ("/mine", "/m")
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert "MLFLOW_RUN_ID" not in found
    assert found["AMLOCAL_WORKSPACE"] == str(launcher.folder)


def test_a_script_runs_under_gunicorn_as_azmlinfsrv_starts_it(launcher: Launcher) -> None:
    found = launch(
        launcher,
        scoring_script="src/score.py",
        variables='{"WORKER_COUNT": "2", "WORKER_TIMEOUT": "9", "WORKER_PRELOAD": "true"}',
    )
    assert found.program == (
        *("/env/bin/python", "-m", "gunicorn", "--bind", found.address),
        *("--workers", "2", "--timeout", "9"),
        *("--access-logfile", "-", "--error-logfile", "/dev/null", "--preload"),
        "azureml_inference_server_http.server.entry:app",
    )
    assert found.folder == Path("/app/code")
    assert found.variables["AML_APP_ROOT"] == "/app/code"
    assert found.variables["AZUREML_ENTRY_SCRIPT"] == "src/score.py"
    assert found.variables["AZUREML_SOURCE_DIRECTORY"] == "src"


def test_all_instances_share_the_cores(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    threads = "OMP_NUM_THREADS"
    assert launch(launcher, instances=1).variables[threads] == "8"
    assert launch(launcher, instances=3).variables[threads] == "2"
    assert launch(launcher, instances=20).variables[threads] == "1"
    workers = launch(
        launcher, instances=2, scoring_script="score.py", variables='{"WORKER_COUNT": "2"}'
    )
    assert workers.variables[threads] == "2"
    own = launch(launcher, instances=1, variables='{"OMP_NUM_THREADS": "3"}')
    assert own.variables[threads] == "3"


def test_an_isolated_environment_finds_the_scoring_server_and_nothing_else(
    launcher: Launcher,
) -> None:
    found = launch(launcher, ISOLATED, variables='{"PYTHONPATH": "/mine"}').variables["PYTHONPATH"]
    folder, own = found.split(":")
    assert own == "/mine"
    assert [entry.name for entry in Path(folder).iterdir()] == ["scoringserver"]
    assert (Path(folder) / "scoringserver" / "__main__.py").is_file()
    assert "PYTHONPATH" not in launch(launcher, CURRENT).variables


@pytest.mark.parametrize("count", ["0", "two", "-1", ""])
def test_a_number_of_workers_that_cannot_be_is_refused(launcher: Launcher, count: str) -> None:
    with pytest.raises(UsageError, match="WORKER_COUNT is"):
        launch(launcher, scoring_script="s.py", variables=f'{{"WORKER_COUNT": "{count}"}}')

"""The other Pythons that the project supports: what a user does first works on each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.driver import PARTS, PROJECT, Aml, short_lifecycle

from amlocal.local.environments.interpreters import find_interpreters

# All packages are installed, from the cache of uv where they are there.
pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

MINORS = [minor for minor in (10, 11, 12) if minor != sys.version_info.minor]
#: Tests of parts in which Pythons differ: dates, zones, enums, signals, sockets, syntax trees.
TESTS = (
    *("tests/unit/plan", "tests/unit/local/schedules", "tests/unit/local/triggers"),
    *("tests/unit/gatekit", "tests/unit/test_docs.py", "tests/unit/cli/test_main.py"),
)


@pytest.fixture(scope="module", params=MINORS, ids=lambda minor: f"3.{minor}")
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the locked requirements for another Python, as `make setup` does."""
    interpreter = find_interpreters(os.environ).get(request.param)
    if interpreter is None:
        pytest.skip(f"no Python 3.{request.param} here")
    folder = tmp_path_factory.mktemp("venv")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", str(interpreter), folder], check=True)
    python: Path = folder / "bin" / "python"
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    locked = ["--require-hashes", "-r", str(PROJECT / "requirements.lock")]
    # Without its byte code the first start of everything takes minutes.
    compiled = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    subprocess.run([*install, *locked], check=True, env=compiled)
    subprocess.run([*install, "--no-deps", "-e", str(PROJECT)], check=True)
    return python


@pytest.fixture(scope="module")
def aml(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aml]:
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    command = Aml(folder, folder / ".amlocal", str(python))
    yield command
    command.run("workspace", "down")


def test_units(python: Path) -> None:
    """The tests are run by that Python, so that they see its own standard library."""
    command = [str(python), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_every_file_compiles(python: Path) -> None:
    command = [str(python), ".ci/compile_files.py"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_a_model_is_trained_registered_and_served(aml: Aml) -> None:
    tables = [
        f"inputs.{name}.path=../data/adult-ci/{file}.parquet"
        for name, file in (("data", "train"), ("test_data", "test"))
    ]
    job = aml.job(
        short_lifecycle(aml.project), "--set", *tables, "jobs.evaluate.inputs.resamples=200"
    )
    assert job["status"] == "Completed"
    (register,) = [child for child in job["children"] if child["step"] == "register"]
    assert register["params"]["conclusion"].startswith("REGISTERED")
    aml.run("online-endpoint", "create", "-f", "endpoints/adult/endpoint.yml")
    for name in ("blue", "green"):
        aml.run("online-deployment", "create", "-f", f"endpoints/adult/{name}.yml")
        request = ("-n", "adult", "-r", "endpoints/adult/request.json", "-d", name)
        assert len(aml.json("online-endpoint", "invoke", *request)) == 3

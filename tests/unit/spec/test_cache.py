from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import Job
from amlocal.spec import compile_job

COMPONENT = """
name: c
command: echo ${{inputs.n}}
inputs: {n: {type: integer}}
environment: file:./env.yml
"""
ENVIRONMENT = "{name: e, image: base, conda_file: ./conda.yml}"
CONDA = "{dependencies: [python=3.11]}"
JOB = """
type: pipeline
jobs:
  one: {component: ./component.yml, inputs: {n: 1}}
  two: {command: ls, code: ./src, environment: "azureml:e:1"}
"""


@pytest.fixture
def file(write: Write, tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return write(component=COMPONENT, env=ENVIRONMENT, conda=CONDA, job=JOB)


def plans(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def mark(cache: Path) -> None:
    """Change the cached plan, so that one from the cache can be told from a new one."""
    (path,) = plans(cache)
    entry = msgspec.json.decode(path.read_bytes())
    entry["job"]["description"] = "from the cache"
    path.write_bytes(msgspec.json.encode(entry))


def is_cached(job: Job) -> bool:
    return job.description == "from the cache"


def test_an_unchanged_job_comes_from_the_cache(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = compile_job(file, cache=cache)
    assert compile_job(file, cache=cache) == first
    mark(cache)
    assert is_cached(compile_job(file, cache=cache))
    assert not is_cached(compile_job(file))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("job", JOB.replace("n: 1", "n: 2")),
        ("component", COMPONENT.replace("echo", "print")),
        ("env", ENVIRONMENT.replace("base", "other")),
        ("conda", CONDA.replace("3.11", "3.12")),
    ],
)
def test_a_change_of_any_file_compiles_anew(
    file: Path, write: Write, tmp_path: Path, name: str, text: str
) -> None:
    cache = tmp_path / "cache"
    before = compile_job(file, cache=cache)
    mark(cache)
    write(**{name: text})
    after = compile_job(file, cache=cache)
    assert not is_cached(after)
    assert after != before
    assert compile_job(file, cache=cache) == after


def test_a_file_that_was_only_touched_is_no_change(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    compile_job(file, cache=cache)
    mark(cache)
    os.utime(tmp_path / "component.yml", (1, 1))
    assert is_cached(compile_job(file, cache=cache))


def test_a_code_folder_that_is_gone_is_told(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    compile_job(file, cache=cache)
    (tmp_path / "src").rmdir()
    with pytest.raises(Exception, match="the code folder 'src' is not there"):
        compile_job(file, cache=cache)


def test_settings_and_the_current_folder_have_plans_of_their_own(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    compile_job(file, cache=cache)
    job = compile_job(file, cache=cache, overrides=["jobs.one.inputs.n=5"])
    assert job.steps[0].inputs != compile_job(file, cache=cache).steps[0].inputs
    monkeypatch.chdir(tmp_path / "src")
    assert compile_job(file, cache=cache).experiment_name == "src"
    assert len(plans(cache)) == 3


def test_a_damaged_entry_is_written_anew(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    job = compile_job(file, cache=cache)
    (path,) = plans(cache)
    for damage in (b"", b"{", b'{"job": 3}', path.read_bytes()[:-9]):
        path.write_bytes(damage)
        assert compile_job(file, cache=cache) == job
        assert len(path.read_bytes()) > 500


def test_another_definition_of_a_registered_component_compiles_anew(
    write: Write, tmp_path: Path, registry: Any
) -> None:
    file = write(job="{type: pipeline, jobs: {a: {component: 'azureml:train@latest'}}}")
    cache = tmp_path / "cache"
    compile_job(file, cache=cache, assets=registry)
    mark(cache)
    assert is_cached(compile_job(file, cache=cache, assets=registry))
    train = registry.components["train"]
    registry.components["train"] = msgspec.structs.replace(train, command="other")
    job = compile_job(file, cache=cache, assets=registry)
    assert job.steps[0].component.command == "other"
    del registry.components["train"]
    with pytest.raises(Exception, match="no component named 'train'"):
        compile_job(file, cache=cache, assets=registry)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.yml")
    with pytest.raises(SpecError, match="is a pipe"):
        compile_job(tmp_path / "job.yml", cache=tmp_path / "cache")
    assert plans(tmp_path / "cache") == []


def test_a_cached_job_loads_neither_yaml_nor_the_sdk(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    compile_job(file, cache=cache)
    program = (
        "import sys; from pathlib import Path; from amlocal.spec import compile_job; "
        f"compile_job({str(file)!r}, cache=Path({str(cache)!r})); "
        "print([n for n in sys.modules if n.partition('.')[0] in {'yaml', 'azure'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
    assert len(plans(cache)) == 1

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amlocal.errors import EnvironmentBuildError, UsageError
from amlocal.local.environments import Environments
from amlocal.local.environments.interpreters import Interpreter
from amlocal.plan import BuildContext, Environment

SIX = Environment(name="six", conda={"dependencies": [{"pip": ["six==1.17.0"]}]})

# A second command on the same files: says which slow modules it had to import.
WARM = """
import sys
from pathlib import Path
import msgspec  # on Python 3.10 it brings subprocess, through uuid and platform
already = set(sys.modules)
from amlocal.local.environments import Environments
from amlocal.plan import Environment
environment = Environment.from_json(sys.argv[2])
environments = Environments(Path(sys.argv[1]), environ={"PATH": sys.argv[3]}, note=print)
print(environments.choose(environment, "auto").digest)
slow = {"packaging", "importlib.metadata", "subprocess", "yaml", "uv"}
print(slow & sys.modules.keys() - already)
"""


def opened(folder: Path, interpreter: Interpreter | None = None) -> Environments:
    return Environments(folder, environ=os.environ, note=lambda text: None, interpreter=interpreter)


def only_cached_choice(folder: Path) -> Path:
    (path,) = (folder / "cache").glob("choice-*.json")
    return path


@pytest.mark.parametrize(
    ("mode", "error"), [("autp", UsageError), ("docker", EnvironmentBuildError)]
)
def test_modes_that_are_not_offered(tmp_path: Path, mode: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        opened(tmp_path).choose(None, mode)
    assert "auto" in raised.value.hint  # type: ignore[attr-defined]


def test_a_choice_is_kept_and_read_without_slow_modules(tmp_path: Path) -> None:
    source = Path(__file__).parents[4] / "src"
    image = Environment(image="python:3.8")
    # No bin folder of this test's own process: both commands see one PATH.
    arguments = [str(tmp_path), image.to_json().decode(), "/usr/bin"]
    command = [sys.executable, "-c", WARM, *arguments]
    environ = {**os.environ, "PYTHONPATH": str(source)}
    outputs = [
        subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    (cold, warm) = [output.splitlines() for output in outputs]
    assert cold[0] == warm[0]
    assert "packaging" in cold[1]
    assert warm[1] == "set()"


def test_what_is_installed_meanwhile_is_seen(
    tmp_path: Path, install: Callable[..., Interpreter]
) -> None:
    interpreter = install("other==1.0")
    folder = tmp_path / "environments"
    assert opened(folder, interpreter).choose(SIX, "auto").kind == "isolated"
    install("six==1.17.0")
    assert opened(folder, interpreter).choose(SIX, "auto").kind == "current"


def test_a_damaged_cache_is_written_anew(
    tmp_path: Path, install: Callable[..., Interpreter]
) -> None:
    interpreter = install("other==1.0")
    before = opened(tmp_path, interpreter).choose(SIX, "auto")
    only_cached_choice(tmp_path).write_text('{"kind": "cur')
    assert opened(tmp_path, interpreter).choose(SIX, "auto") == before
    assert before.digest in only_cached_choice(tmp_path).read_text()


def test_choices_that_depend_on_files_are_not_kept(
    tmp_path: Path, install: Callable[..., Interpreter]
) -> None:
    interpreter = install("other==1.0")
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("RUN pip install six\n")
    build = Environment(build=BuildContext(path=str(context)))
    assert opened(tmp_path, interpreter).choose(build, "auto").requirements == ("six",)
    (context / "Dockerfile").write_text("RUN pip install pyjokes\n")
    assert opened(tmp_path, interpreter).choose(build, "auto").requirements == ("pyjokes",)
    wheel = Environment(conda={"dependencies": [{"pip": ["/x/p-1-py3-none-any.whl"]}]})
    with pytest.raises(EnvironmentBuildError, match="there is no /x/p"):
        opened(tmp_path, interpreter).choose(wheel, "auto")
    assert not (tmp_path / "cache").exists()


def test_the_current_environment_is_this_interpreter(tmp_path: Path) -> None:
    environments = opened(tmp_path)
    choice = environments.choose(None, "auto")
    resolved = environments.prepare(choice)
    assert resolved.python == Path(sys.executable)
    assert resolved.path_entries == (Path(sys.executable).parent,)
    for _ in range(2):
        assert f"pytest=={pytest.__version__}\n" in environments.packages(choice)


def test_an_interpreter_without_the_name_python_gets_it(tmp_path: Path) -> None:
    lonely = tmp_path / "bin" / "python3.11"
    lonely.parent.mkdir()
    lonely.symlink_to(sys.executable)
    interpreter = replace(Interpreter.running(), executable=lonely)
    environments = opened(tmp_path / "environments", interpreter)
    for _ in range(2):
        named, own = environments.prepare(environments.choose(None, "current")).path_entries
        assert (named / "python").resolve() == Path(sys.executable).resolve()
        assert own == lonely.parent


def test_an_isolated_environment_is_built_and_shut_off(tmp_path: Path) -> None:
    environments = opened(tmp_path)
    conda = {"dependencies": [{"pip": ["six==1.17.0"]}], "variables": {"GREETING": "hi"}}
    choice = environments.choose(Environment(conda=conda), "isolated")
    resolved = environments.prepare(choice)
    environ = {**os.environ, "PYTHONPATH": "/nowhere", **resolved.variables}
    environ["PATH"] = os.pathsep.join([*map(str, resolved.path_entries), environ["PATH"]])
    code = "import os, six, sys; print(sys.prefix, os.environ['GREETING'], '/nowhere' in sys.path)"
    done = subprocess.run(
        f'python -c "{code}"', shell=True, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(resolved.python.parent.parent), "hi", "False"]
    packages = environments.packages(choice).splitlines()
    assert "six==1.17.0" in packages
    assert not any(line.startswith("pytest") for line in packages)

"""Kubeflow Pipelines: `kfp.local` with its SubprocessRunner.

See https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/execute-kfp-pipelines-locally/.
`use_venv=False` and `install_kfp_package=False` are its fastest settings: without them every step
calls pip first, which takes half a second.
"""

from __future__ import annotations

from pathlib import Path

from peers.chain import Project, Tools

_HEAD = """\
from kfp import dsl, local

local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="outputs")


@dsl.component(install_kfp_package=False)
def first(out: dsl.Output[dsl.Artifact]):
    with open(out.path, "w") as file:
        file.write("1")


@dsl.component(install_kfp_package=False)
def step(source: dsl.Input[dsl.Artifact], out: dsl.Output[dsl.Artifact]):
    with open(source.path) as file:
        number = int(file.read())
    with open(out.path, "w") as file:
        file.write(str(number + 1))


@dsl.pipeline
def chain() -> dsl.Artifact:
    task = first()
"""
_TAIL = """\
    return task.outputs["out"]


with open(chain().output.path) as last, open("result.txt", "w") as result:
    result.write(last.read())
"""


class Kfp(Project):
    """Runs a pipeline of lightweight components; it reuses nothing."""

    name = "kfp.local"
    requirements = ("kfp==2.17.0",)

    def write(self, folder: Path, steps: int, tools: Tools) -> None:  # noqa: ARG002 - of Peer
        """Write the pipeline."""
        folder.mkdir(parents=True)
        calls = '    task = step(source=task.outputs["out"])\n' * (steps - 1)
        (folder / "chain.py").write_text(_HEAD + calls + _TAIL)

    def renew(self, folder: Path, turn: int) -> None:
        """Leave things as they are: every step always runs."""

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `python chain.py`."""
        return [str(tools.bin / "python"), "chain.py"]

    def result(self, folder: Path, steps: int, tools: Tools) -> int:  # noqa: ARG002 - of Peer
        """Return the number that the last step wrote."""
        return int((folder / "result.txt").read_text())

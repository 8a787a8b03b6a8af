"""DVC: `dvc repro` of one stage a step (https://dvc.org/doc/command-reference/repro)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from peers.chain import PROGRAM, Project, Tools, step_command


class Dvc(Project):
    """Runs the stages of a `dvc.yaml`, without a git repository."""

    name = "dvc"
    requirements = ("dvc==3.67.1",)
    reuses = True

    def write(self, folder: Path, steps: int, tools: Tools) -> None:
        """Write the stages and make the folder a DVC repository."""
        self.write_program(folder)
        lines = ["stages:"]
        for number in range(1, steps + 1):
            lines += [
                f"  step_{number}:",
                f"    cmd: {step_command(number)}",
                f"    deps: [{PROGRAM}, {number - 1}.txt]",
                f"    outs: [{number}.txt]",
            ]
        (folder / "dvc.yaml").write_text("\n".join([*lines, ""]))
        command = [str(tools.bin / "dvc"), "init", "--no-scm", "--quiet"]
        subprocess.run(command, cwd=folder, env=dict(tools.environ), check=True)

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `dvc repro`."""
        return [str(tools.bin / "dvc"), "repro"]

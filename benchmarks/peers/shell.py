"""A plain shell loop: what the steps cost by themselves."""

from __future__ import annotations

from pathlib import Path

from peers.chain import Project, Tools, step_command


class Shell(Project):
    """Runs the steps one after another and keeps no record."""

    name = "shell"

    def write(self, folder: Path, steps: int, tools: Tools) -> None:  # noqa: ARG002 - of Peer
        """Write the loop, unrolled."""
        self.write_program(folder)
        lines = [step_command(number) for number in range(1, steps + 1)]
        (folder / "run.sh").write_text("\n".join(["set -e", *lines, ""]))

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `sh run.sh`."""
        return ["sh", "run.sh"]

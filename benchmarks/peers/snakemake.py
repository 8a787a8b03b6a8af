"""Snakemake: one rule a step, `snakemake --cores all` (https://snakemake.readthedocs.io)."""

from __future__ import annotations

from pathlib import Path

from peers.chain import PROGRAM, Project, Tools, step_command


class Snakemake(Project):
    """Runs the rules of a Snakefile."""

    name = "snakemake"
    requirements = ("snakemake==9.27.1",)
    reuses = True

    def write(self, folder: Path, steps: int, tools: Tools) -> None:  # noqa: ARG002 - of Peer
        """Write the Snakefile."""
        self.write_program(folder)
        lines = ["rule all:", f'    input: "{steps}.txt"', ""]
        for number in range(1, steps + 1):
            lines += [
                f"rule step_{number}:",
                f'    input: "{PROGRAM}", "{number - 1}.txt"',
                f'    output: "{number}.txt"',
                f'    shell: "{step_command(number)}"',
                "",
            ]
        (folder / "Snakefile").write_text("\n".join(lines))

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `snakemake --cores all`."""
        return [str(tools.bin / "snakemake"), "--cores", "all"]

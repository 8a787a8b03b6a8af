"""Metaflow: `python flow.py run` (https://docs.metaflow.org), on this machine."""

from __future__ import annotations

from pathlib import Path

from peers.chain import Project, Tools


class Metaflow(Project):
    """Runs a linear flow; it reuses nothing by itself."""

    name = "metaflow"
    requirements = ("metaflow==2.19.39",)

    def write(self, folder: Path, steps: int, tools: Tools) -> None:  # noqa: ARG002 - of Peer
        """Write the flow, of at least the two steps that a flow must have."""
        folder.mkdir(parents=True)
        names = ["start", *(f"step_{number}" for number in range(2, steps)), "end"]
        lines = ["from metaflow import FlowSpec, step", "", "", "class Chain(FlowSpec):"]
        for position, name in enumerate(names):
            value = "self.number + 1" if position else "1"
            lines += ["    @step", f"    def {name}(self):", f"        self.number = {value}"]
            if name == "end":
                lines.append('        open("result.txt", "w").write(str(self.number))')
            else:
                lines.append(f"        self.next(self.{names[position + 1]})")
            lines.append("")
        lines += ["", 'if __name__ == "__main__":', "    Chain()", ""]
        (folder / "flow.py").write_text("\n".join(lines))

    def renew(self, folder: Path, turn: int) -> None:
        """Leave things as they are: every step always runs."""

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `python flow.py run`."""
        return [str(tools.bin / "python"), "flow.py", "run"]

    def result(self, folder: Path, steps: int, tools: Tools) -> int:  # noqa: ARG002 - of Peer
        """Return the number that the last step wrote."""
        return int((folder / "result.txt").read_text())

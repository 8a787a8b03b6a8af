"""amlocal: `aml job create --stream` of a pipeline of inline command steps.

The tracking server is up and the plan is cached, as in everyday use; the first number of every
project comes from a run that made both. Every step is recorded in MLflow, which is checked; the
runs of reused steps are written by the server's keeper right after the job, before the next tool is
measured.
"""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from commands import output_of

from peers.chain import PROGRAM, Project, Tools

#: Within which the runs of a reused job must be in MLflow.
_WRITING_SECONDS = 120.0
_HEAD = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
experiment_name: engine-benchmark
settings:
  default_compute: azureml:cpu-cluster
jobs:
"""
_STEP = """\
  step_{number}:
    type: command
    code: ./src
    command: python {program} --in ${{{{inputs.source}}}} --out ${{{{outputs.out}}}}
    environment:
      image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
    inputs:
      source: {source}
    outputs:
      out: {{type: uri_file}}
"""


class Aml(Project):
    """Runs a pipeline job in a workspace of its own."""

    name = "aml"
    reuses = True

    def write(self, folder: Path, steps: int, tools: Tools) -> None:
        """Write the pipeline, start tracking, and run it once, so that its plan is cached."""
        folder.mkdir(parents=True)
        (folder / "0.txt").write_text("0")
        self.renew(folder, 0)
        text = _HEAD
        for number in range(1, steps + 1):
            before = f"${{{{parent.jobs.step_{number - 1}.outputs.out}}}}"
            source = before if number > 1 else "{type: uri_file, path: ./0.txt}"
            text += _STEP.format(number=number, program=PROGRAM, source=source)
        (folder / "pipeline.yml").write_text(text)
        self._aml(folder, tools, "workspace", "up")
        self._aml(folder, tools, *self.command(folder, tools)[1:])

    def renew(self, folder: Path, turn: int) -> None:
        """Change the code, which every step runs."""
        source = folder / "src"
        source.mkdir(exist_ok=True)
        super().renew(source, turn)

    def command(self, folder: Path, tools: Tools) -> list[str]:  # noqa: ARG002 - of Peer
        """Return `aml job create -f pipeline.yml --stream`."""
        return [str(tools.bin / "aml"), "job", "create", "-f", "pipeline.yml", "--stream"]

    def result(self, folder: Path, steps: int, tools: Tools) -> int:
        """Return the number that the last step wrote.

        Raises:
            RuntimeError: MLflow does not have a finished run for every step.
        """
        name = self._aml(folder, tools, "job", "list", "--query", "[0].name", "-o", "tsv").strip()
        recorded, deadline = -1, time.monotonic() + _WRITING_SECONDS
        while recorded != steps and time.monotonic() < deadline:
            job = json.loads(self._aml(folder, tools, "job", "show", "-n", name, "-o", "json"))
            recorded = _recorded(job["tracking"])
        if recorded != steps:
            raise RuntimeError(f"MLflow has {recorded} finished step runs, not {steps}")
        return int(Path(job["children"][-1]["outputs"]["out"]["path"]).read_text())

    def close(self, folder: Path, tools: Tools) -> None:
        """End the workspace's tracking server."""
        self._aml(folder, tools, "workspace", "down")

    def _aml(self, folder: Path, tools: Tools, *arguments: str) -> str:
        aml = str(tools.bin / "aml")
        return output_of([aml, *arguments], cwd=folder, environ=tools.environ)


def _recorded(tracking: dict[str, Any]) -> int:
    """Return how many finished runs MLflow has under a job's own run."""
    if not tracking["run_id"]:
        return 0  # not yet written
    query = {
        "experiment_ids": [tracking["experiment_id"]],
        "filter": f"tags.mlflow.parentRunId = '{tracking['run_id']}' and status = 'FINISHED'",
        "max_results": 1000,
    }
    request = urllib.request.Request(
        f"{tracking['uri']}/api/2.0/mlflow/runs/search",
        data=json.dumps(query).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return len(json.load(answer).get("runs", []))

"""Compile every file that is submitted: for this machine, and to the requests that Azure gets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

import amlocal
from amlocal import spec
from amlocal.errors import AmlocalError

#: Where files are that are submitted.
PATTERNS = (
    "jobs/*.yml",
    "jobs/monitors/*.yml",
    "jobs/loop/monitor.yml",
    "components/*/component.yml",
    "environments/*/*.yml",
    "endpoints/*/*.yml",
)
#: The operations that take a file, by the name of its schema.
NOUNS = {
    **dict.fromkeys(("commandJob", "pipelineJob", "autoMLJob", "sweepJob"), "jobs"),
    **dict.fromkeys(("commandComponent", "parallelComponent", "pipelineComponent"), "components"),
    "environment": "environments",
    "managedOnlineEndpoint": "online_endpoints",
    "managedOnlineDeployment": "online_deployments",
    "batchEndpoint": "batch_endpoints",
    "modelBatchDeployment": "batch_deployments",
    "pipelineComponentBatchDeployment": "batch_deployments",
    **dict.fromkeys(("schedule", "monitorSchedule"), "schedules"),
}
#: What compiles a file of each but jobs for this machine.
LOADERS: dict[str, Callable[[Path], Any]] = {
    "components": spec.load_component,
    "environments": spec.load_environment,
    "online_endpoints": spec.load_online_endpoint,
    "online_deployments": spec.load_online_deployment,
    "batch_endpoints": spec.load_batch_endpoint,
    "batch_deployments": spec.load_batch_deployment,
    "schedules": spec.load_schedule,
}


def kind_of(file: Path) -> str:
    """Return the name of the schema that a file is of, or an empty string."""
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    schema = written.get("$schema", "") if isinstance(written, dict) else ""
    return Path(schema).name.partition(".")[0]


def files_in(project: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a project that are submitted, with their kinds."""
    for pattern in PATTERNS:
        for file in sorted(project.glob(pattern)):
            if kind := kind_of(file):
                yield file, kind


class Targets:
    """This machine, and Azure in a dry run.

    Args:
        scratch: A folder for a workspace; compiling leaves nothing in it to keep.
    """

    def __init__(self, scratch: Path) -> None:
        self._local = amlocal.connect("local", path=scratch, environ={})
        self._azure: Any = amlocal.connect("azure", environ={}, dry_run=True)

    def problems_of(self, file: Path, kind: str) -> list[str]:
        """Return what is wrong with a file for either target; none where it compiles."""
        noun = NOUNS.get(kind)
        if noun is None:
            return [f"{file}: no rule for files of the schema {kind}; add it to NOUNS in .ci"]
        before = len(self._azure.requests)
        try:
            (self._local.jobs.validate if noun == "jobs" else LOADERS[noun])(file)
            operations = getattr(self._azure, noun)
            begin = getattr(operations, "begin_create_or_update", None)
            (begin or operations.create_or_update)(file)
        except AmlocalError as error:
            return str(error).splitlines()
        sent = len(self._azure.requests) > before
        return [] if sent else [f"{file}: nothing would be sent to Azure"]


def main(argv: Sequence[str] | None = None) -> int:
    """Compile all files, and print a line for each; returns 2 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path(), help="its folder; here")
    args = parser.parse_args(argv)
    failed = count = 0
    with TemporaryDirectory() as scratch:
        targets = Targets(Path(scratch))
        for file, kind in files_in(args.project):
            problems = targets.problems_of(file, kind)
            print("\n".join(problems) if problems else f"{file}: {kind}", flush=True)
            failed += bool(problems)
            count += 1
    print(f"{count - failed} of {count} files compile")
    return 2 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())

"""Reads the pipelines' files, and tells where they are not what `make` runs."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github/workflows/pipeline.yml"
AZURE = ROOT / "azure-pipelines/pipeline.yml"
STAGES = ROOT / ".ci/stages.mk"

Step = dict[str, Any]


@dataclass
class Stage:
    """A job of GitHub's, or a stage of Azure Pipelines.

    Attributes:
        needs: The stages before it.
        steps: Its steps, as the file has them.
        environment: The environment whose rules it waits for.
    """

    needs: set[str]
    steps: list[Step]
    environment: str | None = None

    @property
    def commands(self) -> list[str]:
        found = [
            step.get("run") or step.get("script") or step.get("inputs", {}).get("inlineScript")
            for step in self.steps
        ]
        return [each for each in found if each]

    @property
    def artifacts(self) -> dict[str, str]:
        """What it keeps, by name: the path."""
        return dict(_published(self.steps))


@dataclass
class Files:
    """All that has to fit together.

    Attributes:
        github: Jobs of the workflow.
        azure: Stages of the Azure pipeline.
        targets: Targets of `make` that are stages, in the order of their file.
        before_delivery: What `make ci` runs, in its order.
    """

    github: dict[str, Stage]
    azure: dict[str, Stage]
    targets: list[str]
    before_delivery: list[str]

    def copy(self) -> Files:
        return copy.deepcopy(self)


def read() -> Files:
    """Read the files of this repository."""
    text = STAGES.read_text()
    (chain,) = re.findall(r"^ci: ([a-z\- ]+?) *##", text, flags=re.MULTILINE)
    return Files(
        github={name: _of_github(job) for name, job in workflow()["jobs"].items()},
        azure={each["stage"]: _of_azure(each) for each in pipeline()["stages"]},
        targets=re.findall(r"^(c[id]-[a-z]+):.*##", text, flags=re.MULTILINE),
        before_delivery=chain.split(),
    )


def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(GITHUB.read_text())
    return found


def pipeline() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(AZURE.read_text())
    return found


def _of_github(job: dict[str, Any]) -> Stage:
    return Stage(set(job.get("needs", [])), job["steps"], job.get("environment"))


def _of_azure(stage: dict[str, Any]) -> Stage:
    (job,) = stage["jobs"]
    steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
    return Stage(set(stage["dependsOn"]), steps, job.get("environment"))


def _published(steps: list[Step]) -> Iterator[tuple[str, str]]:
    for step in steps:
        if str(step.get("uses", "")).startswith("actions/upload-artifact@"):
            yield step["with"]["name"], step["with"]["path"]
        elif "publish" in step:
            yield step["artifact"], step["publish"]


def faults(files: Files) -> list[str]:
    """Return what does not fit; empty where all does."""
    return [*_between(files), *_with_make(files), *_order(files)]


def _between(files: Files) -> Iterator[str]:
    if list(files.github) != list(files.azure):
        yield f"the stages are {list(files.github)} and {list(files.azure)}"
    for name in files.github.keys() & files.azure.keys():
        one, other = files.github[name], files.azure[name]
        for what in ("commands", "needs", "artifacts", "environment"):
            if getattr(one, what) != getattr(other, what):
                yield f"{what} of {name}: {getattr(one, what)} and {getattr(other, what)}"


def _with_make(files: Files) -> Iterator[str]:
    for where, stages in (("GitHub", files.github), ("Azure", files.azure)):
        told = [command for stage in stages.values() for command in stage.commands]
        for command in told:
            if command not in {f"make {target}" for target in files.targets}:
                yield f"{where} runs {command!r}, which is no stage of make"
        for target in files.targets:
            if told.count(f"make {target}") != 1:
                yield f"{where} runs {target} {told.count(f'make {target}')} times"


def _order(files: Files) -> Iterator[str]:
    ci = [target for target in files.targets if target.startswith("ci-")]
    if files.before_delivery != ci:
        yield f"make ci runs {files.before_delivery}, and the stages are {ci}"
    for where, stages in (("GitHub", files.github), ("Azure", files.azure)):
        told = [command for stage in stages.values() for command in stage.commands]
        if told != [f"make {target}" for target in files.targets]:
            yield f"{where} has another order than make: {told}"
        seen: set[str] = set()
        for name, stage in stages.items():
            if not stage.needs <= seen:
                yield f"{where}: {name} needs {sorted(stage.needs - seen)}, which come later"
            if seen and not stage.needs:
                yield f"{where}: {name} waits for nothing"
            seen.add(name)


def make(*arguments: str) -> str:
    """Return what make would run, without running it."""
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout

"""What is written to MLflow about a run beside what its script logs: pure, but for asking git.

Tags that begin with `mlflow.` are MLflow's own (mlflow.utils.mlflow_tags); those that begin with
`amlocal.` are this project's.
"""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.local.locations import redacted
from amlocal.plan import InputInfo, JobInfo, Step, Tracking

_NO_DATA = "the job takes no data"
_NO_CODE = "the step has no code folder"
_NO_MODEL = "no model was written or registered"
_NO_SERVING = "no deployment of a model of this job is recorded"


@dataclass(frozen=True, slots=True)
class GitState:
    """The commit that a folder is at.

    Attributes:
        commit: Its hash, or an empty string outside a repository.
        is_dirty: Whether files differ from it.
    """

    commit: str = ""
    is_dirty: bool = False


def git_state(folder: Path) -> GitState:
    """Return the state of the repository that a folder is in."""
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return GitState()  # no git on this machine, or a repository too slow to ask
    if done.returncode:
        return GitState()
    lines = done.stdout.splitlines()
    commit = next((x.split()[-1] for x in lines if x.startswith("# branch.oid")), "")
    return GitState(
        "" if commit == "(initial)" else commit, any(not line.startswith("#") for line in lines)
    )


def git_tags(git: GitState) -> dict[str, str]:
    """Return the tags that name the commit and whether files differed from it."""
    if not git.commit:
        return {}
    return {"mlflow.source.git.commit": git.commit, "amlocal.git.dirty": str(git.is_dirty).lower()}


def run_tags(
    info: JobInfo,
    *,
    source: str,
    tags: Mapping[str, str] | None = None,
    facts: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the tags that a run of a job begins with.

    Args:
        info: The job's record.
        source: The file that it was read from.
        tags: The job's own tags.
        facts: What is known of it (component, code, environment, ...), without the prefix.
    """
    found = {
        **(tags or {}),
        "mlflow.source.type": "JOB",
        "mlflow.user": _user(),
        "amlocal.job": info.name,
        **{f"amlocal.{key}": value for key, value in (facts or {}).items() if value},
    }
    if source:
        found["mlflow.source.name"] = source
    if info.description:
        found["mlflow.note.content"] = info.description
    return found


def tags_of_step(
    info: JobInfo, step: Step, *, source: str, tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags that the run of a step, a command job, or a trial begins with.

    Args:
        info: Its record, with what is tracked of it.
        step: What it runs.
        source: The file that it was read from.
        tags: Its own tags.
    """
    code, environment = info.tracking.code or {}, info.tracking.environment or {}
    facts = {
        "type": info.type,
        "step": info.step or "",
        "component": component_reference(step),
        "component.content": (info.tracking.component or {}).get("content", ""),
        "code.hash": code.get("hash", ""),
        "environment.name": environment.get("name", ""),
        "environment.hash": environment.get("hash", ""),
        "environment.content": environment.get("content", ""),
    }
    return run_tags(info, source=source, tags=tags, facts=facts)


def tracked(
    *,
    data: dict[str, Any],
    code: dict[str, Any] | None,
    environment: dict[str, Any] | None,
    component: dict[str, Any] | None = None,
) -> Tracking:
    """Return what is tracked of a job before it has a run; says of what is absent why."""
    absent = {"model": _NO_MODEL, "serving": _NO_SERVING}
    if not data:
        absent["data"] = _NO_DATA
    if not code:
        absent["code"] = _NO_CODE
    if not environment:
        absent["environment"] = "each step has its own"
    return Tracking(
        data=data or None,
        code=code or None,
        environment=environment,
        absent=absent,
        component=component,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a user id without an entry in the password file


def component_reference(step: Step) -> str:
    """Return `NAME:VERSION` of a step's component, as far as they are given."""
    component = step.component
    return ":".join(part for part in (component.name, component.version) if part)


def end_tags(info: JobInfo) -> dict[str, str]:
    """Return the tags that a run gets when its job has ended."""
    return {"amlocal.error": info.error} if info.error else {}


def parameters(inputs: Mapping[str, InputInfo]) -> dict[str, str]:
    """Return the MLflow parameters of a run: its literals as text, its data by address."""
    return {
        name: str(info.value) if info.value is not None else redacted(info.path or "")
        for name, info in inputs.items()
    }

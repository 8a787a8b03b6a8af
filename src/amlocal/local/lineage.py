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

from amlocal.local.locations import redacted
from amlocal.plan import InputInfo, Step


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
    name: str,
    *,
    source: str,
    parent_run: str | None = None,
    tags: Mapping[str, str] | None = None,
    facts: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the tags that a run of a job begins with.

    Args:
        name: The job's name.
        source: The file that it was read from.
        parent_run: The run of the pipeline job that it is a step of, or None.
        tags: The job's own tags.
        facts: What is known of it (component, code, environment, ...), without the prefix.
    """
    found = {
        **(tags or {}),
        "mlflow.source.type": "JOB",
        "mlflow.user": _user(),
        "amlocal.job": name,
        **{f"amlocal.{key}": value for key, value in (facts or {}).items() if value},
    }
    if source:
        found["mlflow.source.name"] = source
    if parent_run:
        found["mlflow.parentRunId"] = parent_run
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a user id without an entry in the password file


def component_reference(step: Step) -> str:
    """Return `NAME:VERSION` of a step's component, as far as they are given."""
    component = step.component
    return ":".join(part for part in (component.name, component.version) if part)


def parameters(inputs: Mapping[str, InputInfo]) -> dict[str, str]:
    """Return the MLflow parameters of a run: its literals as text, its data by address."""
    return {
        name: str(info.value) if info.value is not None else redacted(info.path or "")
        for name, info in inputs.items()
    }

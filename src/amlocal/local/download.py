"""Copies what a job left into a folder, laid out as `az ml job download` does.

::

    DOWNLOAD_PATH/NAME/artifacts/          ./outputs, ./logs, and user_logs of the job
    DOWNLOAD_PATH/NAME/named-outputs/X/    its output X
"""

from __future__ import annotations

import shutil
from pathlib import Path

from amlocal.errors import TargetError, UsageError, not_found
from amlocal.local.outputs import DEFAULT_OUTPUT, StepFolders
from amlocal.local.workspace import Workspace
from amlocal.plan import JobInfo, OutputInfo


def download(
    job: JobInfo,
    target: Path,
    *,
    workspace: Workspace,
    output_name: str | None,
    everything: bool,
) -> Path:
    """Copy a job's artifacts, one of its outputs, or all of these.

    Returns:
        The folder made: `target/NAME`.

    Raises:
        UsageError: The job is not over.
        NotFoundError: It has no such output.
        TargetError: The folder cannot be written.
    """
    if not job.status.is_terminal:
        raise UsageError(
            f"the job {job.name} is {job.status.value}", hint="wait: aml job stream -n " + job.name
        )
    named = {name: o for name, o in job.outputs.items() if name != DEFAULT_OUTPUT}
    if output_name is not None and output_name != DEFAULT_OUTPUT and output_name not in named:
        raise not_found("output", output_name, [*named, DEFAULT_OUTPUT])
    folder = target / job.name
    try:
        if everything or output_name in {None, DEFAULT_OUTPUT}:
            _copy_artifacts(job, folder / "artifacts", workspace)
        chosen = named if everything else {k: v for k, v in named.items() if k == output_name}
        for name, output in chosen.items():
            _copy_output(output, folder / "named-outputs" / name)
    except shutil.Error as error:
        raise TargetError(f"cannot copy to {folder}: {error}") from error
    except OSError as error:
        raise TargetError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return folder


def _copy_artifacts(job: JobInfo, target: Path, workspace: Workspace) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for info in (job, *job.children):
        artifacts = StepFolders(workspace.job(info.reused_from or info.name)).artifacts
        if artifacts.is_dir():
            place = target if info is job else target / (info.step or info.name)
            shutil.copytree(artifacts, place, dirs_exist_ok=True, copy_function=shutil.copyfile)


def _copy_output(output: OutputInfo, target: Path) -> None:
    source = Path(output.path)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / source.name)

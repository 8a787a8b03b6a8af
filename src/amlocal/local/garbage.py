"""Removes what no job and no asset of a workspace refers to any more."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from amlocal.local import joblock
from amlocal.local.digests import walk
from amlocal.local.endpoints.batch_store import unused_parts
from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.monitors.job import PREDICTIONS
from amlocal.local.opened import Opened
from amlocal.local.outputs import StepFolders
from amlocal.local.services import Services
from amlocal.local.workspace import DEFAULT_DATASTORE

#: Seconds that the making of a version may take.
_MAKING_SECONDS = 3600.0


def collect(opened: Opened, *, dry_run: bool) -> int:
    """Remove what is not needed any more.

    That is: folders of jobs without a record, working folders that were kept for somebody to look
    at, predictions that monitors keep of references, AutoML searches and parallel steps that were
    interrupted, versions of deployments that serve no more, what no batch deployment and no
    schedule is made of any more, and stored files that nothing names.

    Args:
        opened: The workspace.
        dry_run: Only count.

    Returns:
        The bytes freed, or that would be.
    """
    services = opened.services
    freed = sum(_freed(folder, dry_run=dry_run) for folder in _unneeded_folders(services))
    freed += sum(
        _freed(folder, dry_run=dry_run) for folder in _unused_versions(services, opened.endpoints)
    )
    freed += sum(_freed(folder, dry_run=dry_run) for folder in _unused_code(opened))
    freed += sum(_freed(folder, dry_run=dry_run) for folder in _predictions(services))
    used = set(opened.assets.digests())
    for job in services.records.list(view="All"):
        for info in services.records.get(job.name).tree():
            used |= {output.digest for output in info.outputs.values()}
            code = info.tracking.code or {}
            used.add(str(code.get("hash") or ""))
    return freed + services.artifacts.remove_unused(frozenset(used - {""}), dry_run=dry_run)


def _freed(folder: Path, *, dry_run: bool) -> int:
    freed = size(folder)
    if not dry_run:
        shutil.rmtree(folder)
    return freed


def _unneeded_folders(services: Services) -> Iterator[Path]:
    workspace, records = services.workspace, services.records
    for folder in workspace.jobs.iterdir():
        if not records.has(folder.name):
            lock = joblock.take(folder)
            if lock is not None:
                if not records.has(folder.name):
                    yield folder
                os.close(lock)
            continue  # else a job is being created there
        working = StepFolders(folder).working
        if working.exists() and records.get(folder.name).status.is_terminal:
            yield working
    for place in (workspace.automl, workspace.parallel):
        for folder in place.iterdir() if place.exists() else ():
            lock = joblock.take(folder)
            if lock is not None:
                yield folder
                os.close(lock)
    if not records.open():  # a job that is there may still need what it was invoked for
        yield from unused_parts(workspace.batch)
    outputs = workspace.datastore(DEFAULT_DATASTORE) / "azureml"
    for folder in outputs.iterdir() if outputs.exists() else ():
        if not records.has(folder.name):
            yield folder


def _predictions(services: Services) -> Iterator[Path]:
    """Give what models said of monitors' references, which can be had anew."""
    place = services.workspace.cache / PREDICTIONS
    if place.exists() and not services.records.open():
        yield place


def _unused_versions(services: Services, endpoints: EndpointRecords) -> Iterator[Path]:
    """Give the versions of deployments that no record names, and that nobody is making."""
    layout = EndpointLayout(services.workspace.endpoints)
    found = [(folder, folder.stat().st_mtime) for folder in layout.all_versions()]
    records = endpoints.deployments()
    used = {record.version.folder for record in records}
    used |= {record.served.folder for record in records if record.served is not None}
    for folder, changed in found:
        if str(folder) not in used and time.time() - changed > _MAKING_SECONDS:
            yield folder


def _unused_code(opened: Opened) -> Iterator[Path]:
    """Give the code that no schedule starts a job of, and that none is being made of."""
    services = opened.services
    if services.records.open():
        return  # a job that is there may still need what it was started of
    place = services.workspace.schedules / "code"
    plans = "".join(record.plan.to_json().decode() for record in opened.schedules.list())
    for folder in place.iterdir() if place.exists() else ():
        if str(folder) not in plans and time.time() - folder.stat().st_mtime > _MAKING_SECONDS:
            yield folder


def size(folder: Path) -> int:
    """Return the bytes of the files below a folder; one that is linked twice counts once."""
    seen: dict[tuple[int, int], int] = {}
    for path in walk(folder):
        status = path.lstat()
        seen[(status.st_dev, status.st_ino)] = status.st_size
    return sum(seen.values())

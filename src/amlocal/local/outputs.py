"""A step's outputs and artifacts: made ready before it runs, taken in after."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amlocal.errors import TargetError
from amlocal.local.artifacts import Artifacts
from amlocal.local.bind import output_path
from amlocal.local.locations import Locations
from amlocal.plan import OutputInfo, Step

#: The reserved name of an output that stands for the artifacts of the run that has it.
ARTIFACTS = "artifacts"
#: By this name Azure shows what a job left in `./outputs` and `./logs`.
DEFAULT_OUTPUT = "default"


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where an output goes.

    Attributes:
        type: Its data type.
        final: Where it is in the end.
        written: Where the step writes it: elsewhere with mode `upload`.
        is_own: Whether the place belongs to this run alone.
    """

    type: str
    final: Path
    written: Path
    is_own: bool

    @property
    def is_file(self) -> bool:
        """Whether it is one file."""
        return self.type == "uri_file"


@dataclass(frozen=True, slots=True)
class StepFolders:
    """The folders of one step's run.

    Attributes:
        root: The run's folder.
    """

    root: Path

    @property
    def working(self) -> Path:
        """Where the command runs."""
        return self.root / "wd"

    @property
    def artifacts(self) -> Path:
        """What is kept of `./outputs`, `./logs`, and the log."""
        return self.root / "artifacts"

    @property
    def inputs(self) -> Path:
        """Copies of the inputs that are downloaded."""
        return self.root / "inputs"

    @property
    def uploads(self) -> Path:
        """Outputs that are uploaded at the end."""
        return self.root / "uploads"

    @property
    def user_logs(self) -> Path:
        """Where the log of each process is."""
        return self.artifacts / "user_logs"

    def log(self, process: int | None = None) -> Path:
        """Return the log of the only process, or of one of several."""
        name = "std_log.txt" if process is None else f"std_log_process_{process:02d}.txt"
        return self.user_logs / name


def output_places(
    step: Step, job: str, *, folders: StepFolders, locations: Locations, datastore: str
) -> dict[str, OutputPlace]:
    """Return where each output of a step goes; the reserved one is where its artifacts are."""
    places = {}
    for name, output in step.outputs.items():
        if name == ARTIFACTS:
            continue
        kind = output.type or "uri_folder"
        if output.path:
            address = output_path(output.path, job=job, output=name, datastore=datastore)
            final = locations.place(address)
        else:
            final = locations.default_output(job, name, datastore)
        written = folders.uploads / name if output.mode == "upload" else final
        places[name] = OutputPlace(kind, final, written, is_own=not output.path)
    return places


def make_ready(folders: StepFolders, places: Mapping[str, OutputPlace]) -> None:
    """Make the folders that the step will write to."""
    for folder in (folders.working / "outputs", folders.working / "logs", folders.user_logs):
        folder.mkdir(parents=True, exist_ok=True)
    # `./logs` can be watched beside the log while the step runs.
    (folders.artifacts / "logs").symlink_to(folders.working / "logs")
    for place in places.values():
        (place.written.parent if place.is_file else place.written).mkdir(
            parents=True, exist_ok=True
        )


def take_in(
    folders: StepFolders,
    places: Mapping[str, OutputPlace],
    *,
    artifacts: Artifacts,
    locations: Locations,
    keep_working: bool,
) -> dict[str, OutputInfo]:
    """Move what the step wrote to its place, store it by content, and clear up.

    Args:
        folders: The run's folders.
        places: Where each output goes.
        artifacts: The content-addressed storage.
        locations: Gives the addresses of places.
        keep_working: Whether the working folder stays, for somebody to look at.

    Raises:
        TargetError: A file that was to be written is missing.
    """
    collect_artifacts(folders, keep_working=keep_working)
    infos = {name: _take(name, place, artifacts, locations) for name, place in places.items()}
    if any((folders.artifacts / "outputs").iterdir()):
        infos[DEFAULT_OUTPUT] = OutputInfo(
            type="uri_folder",
            path=str(folders.artifacts),
            digest=artifacts.store(folders.artifacts / "outputs", link=True),
        )
    for leftover in (folders.inputs, folders.uploads):
        if leftover.exists():
            shutil.rmtree(leftover)
    return infos


def _take(name: str, place: OutputPlace, artifacts: Artifacts, locations: Locations) -> OutputInfo:
    if place.written != place.final:
        _upload(place)
    if place.is_file and not place.final.is_file():
        found = "a folder" if place.final.is_dir() else "nothing"
        raise TargetError(
            f"the output {name!r} is a uri_file, but there is {found} at {place.final}",
            hint="write one file to the path that the command gets, or declare a uri_folder",
        )
    if not place.final.exists():
        raise TargetError(
            f"the folder of the output {name!r} is gone: {place.final}",
            hint="write into the folder that the command gets, and leave it there",
        )
    digest = artifacts.store(place.final, link=place.is_own)
    return OutputInfo(
        type=place.type, path=str(place.final), uri=locations.address(place.final), digest=digest
    )


def _upload(place: OutputPlace) -> None:
    if not place.written.exists():
        return
    place.final.parent.mkdir(parents=True, exist_ok=True)
    if place.is_own and not place.final.exists():
        shutil.move(place.written, place.final)
    elif place.written.is_dir():
        shutil.copytree(place.written, place.final, dirs_exist_ok=True)
    else:
        shutil.copyfile(place.written, place.final)


def collect_artifacts(folders: StepFolders, *, keep_working: bool) -> None:
    """Move `./outputs` and `./logs` to the run's artifacts; drop the working folder or keep it."""
    link = folders.artifacts / "logs"
    if link.is_symlink():
        link.unlink()
    for name in ("outputs", "logs"):
        written = folders.working / name
        kept = folders.artifacts / name
        if written.is_dir() and not kept.exists():
            written.replace(kept)
        kept.mkdir(parents=True, exist_ok=True)
    if not keep_working:
        # A process that the step left behind may still write here; what stays `workspace gc` takes.
        shutil.rmtree(folders.working, ignore_errors=True)

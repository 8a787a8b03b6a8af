from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab import Lab, step

from amlocal.errors import SpecError, TargetError
from amlocal.local.outputs import (
    OutputPlace,
    StepFolders,
    make_ready,
    output_places,
    take_in,
)
from amlocal.plan import Output, OutputInfo


@pytest.fixture
def folders(lab: Lab) -> StepFolders:
    return StepFolders(lab.services.workspace.job("fig"))


def places(lab: Lab, folders: StepFolders, **outputs: Output) -> dict[str, OutputPlace]:
    return output_places(
        step("s", "true", outputs=outputs),
        "fig",
        folders=folders,
        locations=lab.services.locations,
        datastore="workspaceblobstore",
    )


def taken(lab: Lab, folders: StepFolders, found: dict[str, OutputPlace]) -> dict[str, OutputInfo]:
    return take_in(
        folders,
        found,
        artifacts=lab.services.artifacts,
        locations=lab.services.locations,
        keep_working=False,
    )


def default(lab: Lab, name: str) -> Path:
    return lab.workspace / "datastores" / "workspaceblobstore" / "azureml" / "fig" / name


def test_an_output_goes_to_azures_default_place(lab: Lab, folders: StepFolders) -> None:
    found = places(lab, folders, model=Output())["model"]
    assert found.final == found.written == default(lab, "model")
    assert found.type == "uri_folder"
    assert found.is_own


def test_an_output_goes_where_its_path_says(lab: Lab, folders: StepFolders) -> None:
    address = "azureml://datastores/other/paths/runs/${{name}}/x.csv"
    found = places(lab, folders, x=Output(type="uri_file", path=address))["x"]
    assert found.final == lab.workspace / "datastores" / "other" / "runs" / "fig" / "x.csv"
    assert not found.is_own


def test_an_upload_is_written_elsewhere(lab: Lab, folders: StepFolders) -> None:
    found = places(lab, folders, x=Output(mode="upload"))["x"]
    assert found.final == default(lab, "x")
    assert found.written == folders.uploads / "x"


def test_the_reserved_output_has_no_place(lab: Lab, folders: StepFolders) -> None:
    assert places(lab, folders, artifacts=Output()) == {}


def test_an_unknown_expression_is_an_error(lab: Lab, folders: StepFolders) -> None:
    with pytest.raises(SpecError, match="cannot stand in the path"):
        places(lab, folders, x=Output(path="/x/${{inputs.y}}"))


def test_folders_are_made_and_files_are_not(lab: Lab, folders: StepFolders) -> None:
    found = places(lab, folders, folder=Output(), file=Output(type="uri_file"))
    make_ready(folders, found)
    assert default(lab, "folder").is_dir()
    assert not default(lab, "file").exists()
    assert default(lab, "file").parent.is_dir()
    assert (folders.working / "outputs").is_dir()


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_what_was_written_is_taken_in(lab: Lab, folders: StepFolders, mode: str) -> None:
    found = places(lab, folders, folder=Output(mode=mode), file=Output(type="uri_file", mode=mode))
    make_ready(folders, found)
    (found["folder"].written / "a.txt").write_text("a")
    found["file"].written.write_text("f")
    infos = taken(lab, folders, found)
    assert (default(lab, "folder") / "a.txt").read_text() == "a"
    assert default(lab, "file").read_text() == "f"
    assert infos["folder"].digest == lab.services.digests.content(default(lab, "folder"))
    assert infos["file"].uri.endswith("/paths/azureml/fig/file")
    assert all(lab.services.artifacts.has(info.digest) for info in infos.values())
    assert not folders.uploads.exists()
    assert not folders.working.exists()


def test_an_upload_joins_what_is_at_its_path(lab: Lab, folders: StepFolders) -> None:
    place = lab.write("shared/old.txt", "old").parent
    found = places(lab, folders, x=Output(mode="upload", path=str(place)))
    make_ready(folders, found)
    (found["x"].written / "new.txt").write_text("new")
    taken(lab, folders, found)
    assert sorted(path.name for path in place.iterdir()) == ["new.txt", "old.txt"]


def test_artifacts_of_the_working_folder_are_kept(lab: Lab, folders: StepFolders) -> None:
    make_ready(folders, {})
    (folders.working / "outputs" / "m.bin").write_text("m")
    (folders.working / "logs" / "train.log").write_text("l")
    assert (folders.artifacts / "logs" / "train.log").read_text() == "l"
    infos = taken(lab, folders, {})
    assert (folders.artifacts / "outputs" / "m.bin").read_text() == "m"
    assert (folders.artifacts / "logs" / "train.log").read_text() == "l"
    assert not (folders.artifacts / "logs").is_symlink()
    assert infos["default"].path == str(folders.artifacts)


def test_no_artifacts_no_default_output(lab: Lab, folders: StepFolders) -> None:
    make_ready(folders, {})
    assert taken(lab, folders, {}) == {}


@pytest.mark.parametrize(("make", "what"), [("nothing", "nothing"), ("folder", "a folder")])
def test_a_file_that_is_missing_is_an_error(
    lab: Lab, folders: StepFolders, make: str, what: str
) -> None:
    found = places(lab, folders, x=Output(type="uri_file"))
    make_ready(folders, found)
    if make == "folder":
        found["x"].written.mkdir()
    with pytest.raises(TargetError, match=f"is a uri_file, but there is {what} at"):
        taken(lab, folders, found)


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_a_folder_that_was_removed_is_an_error(lab: Lab, folders: StepFolders, mode: str) -> None:
    found = places(lab, folders, x=Output(mode=mode))
    make_ready(folders, found)
    found["x"].written.rmdir()
    with pytest.raises(TargetError, match="the folder of the output 'x' is gone"):
        taken(lab, folders, found)


def test_logs_are_named_by_their_process(folders: StepFolders) -> None:
    assert folders.log().relative_to(folders.artifacts) == Path("user_logs/std_log.txt")
    assert folders.log(3).name == "std_log_process_03.txt"

"""An MLTable that names files beside its folder has them as its content."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab import Lab, pipeline, step

from amlocal.errors import TargetError
from amlocal.local.inputs import StepInputs, copy_inputs, find_inputs
from amlocal.local.mltables import outside_files
from amlocal.plan import DataValue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make `tables/t`, beside `tables/one.csv` and `tables/more/two.csv`."""
    root = tmp_path / "tables"
    (root / "t").mkdir(parents=True)
    (root / "more").mkdir()
    (root / "one.csv").write_text("1")
    (root / "more" / "two.csv").write_text("2")
    return root / "t"


def named(folder: Path, *paths: str) -> dict[str, Path]:
    (folder / "MLTable").write_text("paths:\n" + "".join(f"- {path}\n" for path in paths))
    return outside_files(folder)


def test_files_folders_and_patterns_count(folder: Path) -> None:
    one, two = folder.parent / "one.csv", folder.parent / "more" / "two.csv"
    assert named(folder, "file: ../one.csv") == {"../one.csv": one}
    assert named(folder, "folder: ../more") == {"../more/two.csv": two}
    assert named(folder, "pattern: ../*/*.csv") == {"../more/two.csv": two}
    assert named(folder, f"file: {one}", "file: ./a.csv") == {str(one): one}


@pytest.mark.parametrize(
    "path", ["file: ./a.csv", "file: https://example.com/../a.csv", "file: ../gone.csv", "[..", "x"]
)
def test_what_is_inside_elsewhere_or_wrong_does_not(folder: Path, path: str) -> None:
    (folder / "a.csv").write_text("a")
    assert named(folder, path) == {}


def test_their_content_decides_over_reuse(folder: Path, lab: Lab) -> None:
    named(folder, "file: ../one.csv")
    before = lab.services.digests.content(folder)
    (folder.parent / "one.csv").write_text("changed")
    assert lab.services.digests.content(folder) != before


def taken(lab: Lab, folder: Path) -> StepInputs:
    one = step(
        "s", "true", inputs={"t": DataValue(path=str(folder), type="mltable", mode="download")}
    )
    return find_inputs(
        pipeline(one),
        one,
        locations=lab.services.locations,
        digests=lab.services.digests,
        result=lambda *_: pytest.fail("no step is asked"),
        copies=lab.project / "copies",
    )


def test_a_download_has_them_in_the_same_place(folder: Path, lab: Lab) -> None:
    named(folder, "file: ../one.csv", f"file: {folder.parent / 'more' / 'two.csv'}")
    inputs = taken(lab, folder)
    copy_inputs(inputs)
    assert (Path(inputs.bound["t"].text) / "../one.csv").read_text() == "1"


def test_what_is_too_far_away_cannot_be_downloaded(folder: Path, lab: Lab) -> None:
    (folder.parents[1] / "far.csv").write_text("3")
    named(folder, "file: ../../far.csv")
    with pytest.raises(TargetError, match=r"\.\./\.\./far\.csv, which cannot be downloaded"):
        copy_inputs(taken(lab, folder))

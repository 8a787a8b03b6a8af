from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.lab import pipeline, step

from amlocal.local.lineage import (
    GitState,
    component_reference,
    git_state,
    git_tags,
    parameters,
    run_tags,
)
from amlocal.local.submission import new_record
from amlocal.plan import InputInfo


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.net")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "sub").mkdir()
    return tmp_path


def test_a_clean_tree(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert git_state(repository) == GitState(commit)
    assert git_state(repository / "sub") == GitState(commit)


def test_a_changed_file_makes_it_dirty(repository: Path) -> None:
    (repository / "a.txt").write_text("b")
    assert git_state(repository).is_dirty


def test_a_new_file_makes_it_dirty(repository: Path) -> None:
    (repository / "new.txt").write_text("b")
    assert git_state(repository / "sub").is_dirty


def test_outside_a_repository(tmp_path: Path) -> None:
    assert git_state(tmp_path) == GitState()
    assert git_tags(GitState()) == {}


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path).commit == ""


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert git_state(tmp_path / "gone") == GitState()


def test_tags_name_the_commit() -> None:
    assert git_tags(GitState("abc", is_dirty=True)) == {
        "mlflow.source.git.commit": "abc",
        "amlocal.git.dirty": "true",
    }


def test_a_runs_tags() -> None:
    info = new_record(pipeline(step("a", "true"), description="Says it."), "fig_a")
    tags = run_tags(info, source="jobs/x.yml", tags={"team": "blue"}, facts={"code": ""})
    assert tags["amlocal.job"] == "fig_a"
    assert tags["mlflow.source.name"] == "jobs/x.yml"
    assert tags["mlflow.note.content"] == "Says it."
    assert tags["team"] == "blue"
    assert tags["mlflow.user"]
    assert "amlocal.code" not in tags


def test_a_component_is_told_as_far_as_it_is_given() -> None:
    assert component_reference(step("s", "true", name="train", version="2")) == "train:2"
    assert component_reference(step("s", "true", name="train")) == "train"
    assert component_reference(step("s", "true")) == ""


def test_parameters_are_text() -> None:
    assert parameters(
        {
            "rate": InputInfo(type="number", value=0.1),
            "flag": InputInfo(type="boolean", value=False),
            "data": InputInfo(type="uri_file", path="https://x.net/a?sig=secret"),
        }
    ) == {"rate": "0.1", "flag": "False", "data": "https://x.net/a"}

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from tests.e2e.driver import PARTS, PROJECT, Aml


@pytest.fixture(scope="module")
def aml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aml]:
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    command = Aml(folder, folder / ".amlocal")
    yield command
    command.run("workspace", "down")
    assert command.json("workspace", "show")["processes"] == {}

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import automlkit
from amlocal.local.automl.packages import search_code
from amlocal.local.digests import Digests


@pytest.fixture
def digests(tmp_path: Path) -> Iterator[Digests]:
    found = Digests(tmp_path / "digests.db")
    yield found
    found.close()


def test_the_searchs_code_is_that_of_its_packages(digests: Digests) -> None:
    found = search_code(digests)
    assert {name.split("/")[0] for name in found} == {"automlkit", "automlmodel", "stepkit"}
    file = Path(automlkit.__path__[0], "request.py")
    assert found["automlkit/request.py"] == digests.file(file)
    assert all(name.endswith(".py") for name in found)

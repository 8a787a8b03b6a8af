from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amlocal.local.environments.interpreters import Interpreter


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Interpreter]:
    """Return a function that makes an interpreter with packages of given metadata."""
    site = tmp_path / "site-packages"
    site.mkdir()

    def make(*names: str, version: str = "3.11.7", requires: tuple[str, ...] = ()) -> Interpreter:
        for name in names:
            package, _, number = name.partition("==")
            folder = site / f"{package}-{number}.dist-info"
            folder.mkdir()
            lines = [f"Name: {package}", f"Version: {number}", "Metadata-Version: 2.1"]
            lines += [f"Requires-Dist: {text}" for text in requires]
            (folder / "METADATA").write_text("\n".join(lines) + "\n")
        return Interpreter(executable=tmp_path / "bin" / "python", version=version, folders=(site,))

    return make

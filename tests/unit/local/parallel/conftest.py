from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.lab import Lab, pipeline, step

from amlocal.plan import DataValue, Job, Output, Parallel, Step

ENTRY = """
    import os, sys, time
    from pathlib import Path

    def init():
        pass

    def run(mini_batch):
        return [Path(file).read_text() for file in mini_batch]
"""


@dataclass
class Files:
    """A lab with an input of files and an entry script."""

    lab: Lab

    @property
    def notes(self) -> Path:
        return self.lab.project / "notes"

    def calls(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def data(self, count: int = 4, folder: str = "data") -> Path:
        for number in range(count):
            self.lab.write(f"{folder}/{number:03d}.txt", str(number))
        return self.lab.project / folder

    def step(self, script: str = ENTRY, *, count: int = 4, **fields: Any) -> Step:
        """Return a step that appends what `run` returns to its output `rows`."""
        code = self.lab.write("code/entry.py", textwrap.dedent(script)).parent
        own = {key: fields.pop(key) for key in list(fields) if key in Parallel.__struct_fields__}
        parallel = Parallel(
            input_data="data",
            **{"entry_script": "entry.py", "append_row_to": "${{outputs.rows}}", **own},
        )
        inputs = {"data": DataValue(path=str(self.data(count))), **fields.pop("inputs", {})}
        outputs = {"rows": Output(type="uri_file"), **fields.pop("outputs", {})}
        return step(
            fields.pop("name", "score"),
            "",
            code=code,
            parallel=parallel,
            inputs=inputs,
            outputs=outputs,
            **fields,
        )

    def job(self, script: str = ENTRY, **fields: Any) -> Job:
        return pipeline(self.step(script, **fields))


@pytest.fixture
def files(lab: Lab) -> Files:
    """A lab for parallel steps."""
    return Files(lab)

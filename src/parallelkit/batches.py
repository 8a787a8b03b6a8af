"""The mini-batches of an input: which files, or which rows, go into one call of `run`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from parallelkit.files import write_whole
from parallelkit.request import Request, WrongRequestError

#: What makes a folder an MLTable.
MLTABLE = "MLTable"


@dataclass(frozen=True)
class MiniBatch:
    """One mini-batch.

    Attributes:
        index: Its number, from 0, in the order of the input.
        size: Its items: files or rows.
        files: The paths of its files; empty of rows.
        table: The file in the run's folder that holds its rows, or an empty string.
        first_row: Of rows, the number of the first in the input.
        partition: Values of the partition keys by their names.
    """

    index: int
    size: int
    files: tuple[str, ...] = ()
    table: str = ""
    first_row: int = 0
    partition: dict[str, Any] = field(default_factory=dict)


def planned(request: Request, folder: Path) -> list[MiniBatch]:
    """Return the mini-batches of a run; one that is started again has those that it had.

    Args:
        request: What is asked.
        folder: The run's folder, which keeps the plan, and the rows of each mini-batch.

    Raises:
        WrongRequestError: The input is not there, is empty, or cannot be read.
    """
    plan = folder / "plan.json"
    if plan.exists():
        return [_read(said) for said in json.loads(plan.read_text(encoding="utf-8"))]
    try:
        batches = list(_divided(request, folder))
    except ImportError as error:
        raise WrongRequestError(
            f"an MLTable cannot be read in this environment, which needs pandas and pyyaml: {error}"
        ) from error
    if not batches:
        raise WrongRequestError(f"there is nothing to process in {request.input_data}")
    write_whole(plan, [json.dumps([asdict(batch) for batch in batches]).encode()])
    return batches


def _divided(request: Request, folder: Path) -> Iterator[MiniBatch]:
    if not request.is_tabular:
        return file_batches(request)
    from parallelkit.tables import table_batches  # pandas, which only tables need

    return table_batches(request, folder)


def _read(said: dict[str, Any]) -> MiniBatch:
    return MiniBatch(**{**said, "files": tuple(said["files"])})


def file_batches(request: Request) -> Iterator[MiniBatch]:
    """Yield mini-batches of files, in the order of their paths.

    Raises:
        WrongRequestError: The input is not there, or has a file that the model cannot read.
    """
    if request.partition_keys:
        raise WrongRequestError(
            "partition_keys divide rows: give the input as an mltable, with mode: direct"
        )
    files = [str(file) for file in input_files(request)]
    if request.entry_script is None:
        _check_types(files)
    step = max(1, request.mini_batch_size)
    for index, start in enumerate(range(0, len(files), step)):
        some = tuple(files[start : start + step])
        yield MiniBatch(index, len(some), some)


def input_files(request: Request) -> list[Path]:
    """Return the files of the input, sorted by their path.

    Hidden ones and those that begin with an underscore are left out, as in Azure. A model that
    scores without a script takes the files of the folder itself, not of those in it.

    Raises:
        WrongRequestError: The input is not there.
    """
    place = Path(request.input_data)
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise WrongRequestError(f"there is no input at {place}")
    if (place / MLTABLE).is_file():
        from parallelkit.tables import mltable_files  # brings pandas along

        return mltable_files(place)
    below = place.rglob("*") if request.entry_script is not None else place.iterdir()
    found = [file for file in below if file.is_file() and not _is_hidden(file.relative_to(place))]
    return sorted(found, key=lambda file: file.relative_to(place).as_posix())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _check_types(files: list[str]) -> None:
    from parallelkit.mlflow_scoring import READABLE  # loads nothing heavy by itself

    for file in files:
        kind = Path(file).suffix.lower()
        if kind not in READABLE:
            raise WrongRequestError(
                f"the model cannot score {file}: file type {kind or 'none'} is not supported "
                f"(supported: {', '.join(READABLE)}); a scoring script can read any file"
            )

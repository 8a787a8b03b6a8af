"""What is asked of a parallel run: one JSON file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class WrongRequestError(Exception):
    """What was asked, or the data that it names, is wrong; no mini-batch was run."""


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        input_data: The file or folder that is divided into mini-batches.
        is_tabular: Whether it is an MLTable whose rows are divided; else files are.
        entry_script: The script, or None: the MLflow model in `model` scores.
        model: Of no script, the folder of the MLflow model.
        arguments: What follows the script's name in `sys.argv`.
        mini_batch_size: Files a mini-batch, or of rows about so many bytes of the input's files.
        partition_keys: Columns; the rows of each of their values are a mini-batch.
        short_fails: Whether a mini-batch has failed for which `run` returns fewer items than it was
            given. Its missing items have, in any case.
        append_to: The file that gets what `run` returns, or None.
        has_header: Whether the columns' names go into the first line of it.
        workers: Processes at most.
        cores: Cores that they share.
        thread_variables: Environment variables that take a worker's share of the cores.
        max_retries: How often a mini-batch is tried again.
        timeout: Seconds for one call of `run`.
        load_timeout: Seconds to hand a mini-batch to a worker.
        init_timeout: Seconds for `init`.
        progress_timeout: Seconds without a mini-batch's end after which the run fails, or None.
        mini_batch_error_threshold: Mini-batches that may fail; -1 is any number.
        error_threshold: Items (files or rows) that may fail; -1 is any number.
        allowed_failed_percent: Percent of the mini-batches that may fail.
        logging_level: Of the script's own log.
        logs: Folder that logs and reports go to.
    """

    input_data: str
    logs: str
    is_tabular: bool = False
    entry_script: str | None = None
    model: str | None = None
    arguments: tuple[str, ...] = ()
    mini_batch_size: int = 1
    partition_keys: tuple[str, ...] = ()
    short_fails: bool = True
    append_to: str | None = None
    has_header: bool = False
    workers: int = 1
    cores: int = 1
    thread_variables: tuple[str, ...] = ()
    max_retries: int = 2
    timeout: float = 60
    load_timeout: float = 600
    init_timeout: float = 600
    progress_timeout: float | None = None
    mini_batch_error_threshold: int = -1
    error_threshold: int = -1
    allowed_failed_percent: float = 100
    logging_level: str = "INFO"

    @property
    def separator(self) -> str:
        """What is between two values of a row: a space, as Azure writes it.

        With names of columns a `.csv` file is one of commas.
        """
        is_csv = self.append_to is not None and self.append_to.endswith(".csv")
        return "," if self.has_header and is_csv else " "


def read_request(file: Path) -> Request:
    """Return what a file asks.

    Raises:
        WrongRequestError: It is not such a file.
    """
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        tuples = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
        return Request(**{**said, **tuples})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WrongRequestError(f"{file} is no request: {error}") from error


def write_request(request: Request, file: Path) -> None:
    """Write a request as `read_request` reads it."""
    file.write_text(json.dumps(dataclasses.asdict(request)), encoding="utf-8")

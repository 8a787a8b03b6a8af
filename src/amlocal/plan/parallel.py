"""Parallel steps: how an input is divided, and what may fail."""

from __future__ import annotations

from amlocal.plan.base import Value

#: The size of a mini-batch of rows where nothing is said, as azure-ai-ml describes it.
_BYTES = 1 << 20


class Parallel(Value, frozen=True):
    """What makes a component parallel: `init()` once a worker, `run(mini_batch)` for each.

    Attributes:
        input_data: The input that is divided.
        is_tabular: Whether its rows are divided (an `mltable` with mode `direct`); else its files.
        entry_script: The script, in the component's code; None is the MLflow model of `model`.
        program_arguments: The script's arguments, with their `${{...}}` in place.
        append_row_to: The file that gets what `run` returns, with its `${{...}}` in place, or None.
        mini_batch_size: Files a mini-batch, or of rows bytes; None is Azure's default.
        partition_keys: Columns; the rows of each of their values are a mini-batch.
        max_concurrency_per_instance: Processes on one instance; None is the number of cores.
        mini_batch_error_threshold: Mini-batches that may fail; -1 is any number.
        error_threshold: Items (files, or rows) that may fail; -1 is any number.
        max_retries: How often a mini-batch is tried again.
        timeout: Seconds that one call of `run` may take.
        logging_level: `DEBUG`, `INFO`, or `WARNING`.
        model: The input that is the model of a batch deployment, or None.
        model_name: What that is called in `AZUREML_MODEL_DIR`.
        score: The output that a batch deployment's script writes to, or None.
    """

    input_data: str
    is_tabular: bool = False
    entry_script: str | None = None
    program_arguments: str = ""
    append_row_to: str | None = None
    mini_batch_size: int | None = None
    partition_keys: tuple[str, ...] = ()
    max_concurrency_per_instance: int | None = None
    mini_batch_error_threshold: int = -1
    error_threshold: int = -1
    max_retries: int = 2
    timeout: float = 60
    logging_level: str = "INFO"
    model: str | None = None
    model_name: str = ""
    score: str | None = None

    @property
    def batch_size(self) -> int:
        """Files a mini-batch, or of rows bytes."""
        return self.mini_batch_size or (_BYTES if self.is_tabular else 1)

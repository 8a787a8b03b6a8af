"""Every job file of the public examples that Azure's client accepts is accepted, or says why not.

Needs a checkout of Azure/azureml-examples, named by AZUREML_EXAMPLES; nothing of it is kept here.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import amlocal
from amlocal.client import Client
from amlocal.errors import AmlocalError

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

#: What Azure's client leaves to the service, or to a later check, and what does not run here.
REASONS = [
    r"does not run here( yet)?; what runs: ",
    r"AutoML of images and text \(\w+\) does not run here, only that of tables; ",
    r"TCNForecaster cannot be trained here, and nothing else may be; ",
    r"the (code folder|data) '.+' is not there; ",
    r"no component named '.+'; ",
    # An input of a component that allows only True and False is given 224.
    r"input 'center_crop' of step 'init_transformation' cannot be 224; known: False, True",
]


def _job_files(folder: Path) -> list[Path]:
    """Return the YAML files that say, by their schema, that they are jobs."""
    files = sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])
    return [file for file in files if re.search(r"(?i)schema:.*job\.schema", file.read_text())]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the SDK prints, logs, and warns of while it loads."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _refusal(client: Client, file: Path) -> AmlocalError | None:
    with _quiet():
        try:
            client.jobs.validate(file)
        except AmlocalError as error:
            return error
    return None


def _sdk_accepts(file: Path) -> bool:
    with _quiet():
        from azure.ai.ml import load_job  # warns while it is imported

        try:
            load_job(file)
        except Exception:  # noqa: BLE001 - whatever it is, the SDK does not take the file
            return False
    return True


def _unexplained(error: AmlocalError | None) -> list[str]:
    lines = [] if error is None else str(error).splitlines()
    return [line for line in lines if not any(re.search(reason, line) for reason in REASONS)]


def test_what_azures_client_accepts_is_accepted_here(examples: Path, tmp_path: Path) -> None:
    client = amlocal.connect(path=tmp_path / ".amlocal")
    refusals = {file: _refusal(client, file) for file in _job_files(examples)}
    wrong = {file: lines for file, error in refusals.items() if (lines := _unexplained(error))}
    assert {file: lines for file, lines in wrong.items() if _sdk_accepts(file)} == {}
    assert len(refusals) >= 130
    assert list(refusals.values()).count(None) >= 60


def test_any_yaml_file_is_a_job_or_a_clear_refusal(examples: Path, tmp_path: Path) -> None:
    client = amlocal.connect(path=tmp_path / ".amlocal")
    files = [file for suffix in ("yml", "yaml") for file in examples.parent.rglob(f"*.{suffix}")]
    refusals = [error for file in files if (error := _refusal(client, file))]
    assert len(refusals) > 100
    for error in refusals:
        assert error.exit_code == 2
        assert max(len(line) for line in str(error).splitlines()) < 600

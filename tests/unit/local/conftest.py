from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.local.database import Database
from amlocal.local.records import JobRecords


@pytest.fixture
def records(tmp_path: Path) -> JobRecords:
    """The job records of an empty workspace."""
    return JobRecords(Database(tmp_path / "records.db", on_full=lambda: None))

"""Run history, over objects that stand in for the SDK's private parts."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from amlocal.azure.history import SdkRunHistory


class FakeBlob:
    """Answers as blob storage does, or as one that does not know of ranges."""

    def __init__(self, content: bytes, *, status: int = 0, ranges: bool = True) -> None:
        self._content = content
        self._status = status
        self._ranges = ranges

    def get(self, address: str, *, headers: dict[str, str], **options: Any) -> Any:
        offset = int(headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if self._status:
            return self._response(self._status, b"error page")
        if not self._ranges:
            return self._response(200, self._content)
        if offset >= len(self._content):
            return self._response(416, b"<Error/>")
        return self._response(206, self._content[offset:])

    def _response(self, status: int, body: bytes) -> Any:
        return SimpleNamespace(status_code=status, body=lambda: body, reason="r", headers={})


def history(blob: FakeBlob | None = None, details: Any = None) -> SdkRunHistory:
    runs = SimpleNamespace(get_run_details=lambda run: details)
    jobs = SimpleNamespace(_runs_operations=runs, _requests_pipeline=blob)
    return SdkRunHistory(SimpleNamespace(jobs=jobs))


def test_details() -> None:
    began = datetime(2026, 1, 1, tzinfo=timezone.utc)
    error = SimpleNamespace(error=SimpleNamespace(message="exit code 1"))
    logs = {
        "user_logs/std_log.txt": "https://a",
        "user_logs/std_log_process_00.txt": "https://b",
        "user_logs/std_log_process_01.txt": "https://c",
        "system_logs/lifecycler.log": "https://d",
        "logs/azureml/executionlogs.txt": "https://e",
    }
    found = SimpleNamespace(start_time_utc=began, end_time_utc=None, error=error, log_files=logs)
    details = history(details=found).details("r")
    assert (details.start_time, details.end_time, details.error) == (began, None, "exit code 1")
    # One log a step: that of the first process.
    assert list(details.logs.values()) == ["https://e", "https://a", "https://b"]


def test_a_run_that_has_nothing_yet() -> None:
    found = SimpleNamespace(start_time_utc=None, end_time_utc=None, error=None, log_files=None)
    details = history(details=found).details("r")
    assert (details.start_time, details.error, dict(details.logs)) == (None, "", {})


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("offset", "rest"), [(0, b"abcdef"), (4, b"ef"), (6, b"")])
def test_reading_on(ranges: bool, offset: int, rest: bytes) -> None:
    assert history(FakeBlob(b"abcdef", ranges=ranges)).read("https://a", offset) == rest


def test_a_log_that_is_not_there_yet() -> None:
    assert history(FakeBlob(b"", status=404)).read("https://a", 0) == b""


def test_a_log_that_may_not_be_read() -> None:
    with pytest.raises(HttpResponseError) as caught:
        history(FakeBlob(b"", status=403)).read("https://a", 0)
    assert caught.value.status_code == 403

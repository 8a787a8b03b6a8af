"""Run history: when a run began and ended, why it failed, and its logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from azure.core.exceptions import HttpResponseError

# What the SDK streams: the log of a step's first process, or of a pipeline's own execution.
_LOGS = re.compile(r"user_logs/std_log\D*0*(?:_ps)?\.txt|logs/azureml/executionlogs\.txt")
_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 120}  # seconds, as the SDK's own


@dataclass(frozen=True, slots=True)
class RunDetails:
    """What run history knows of a run.

    Attributes:
        start_time: When it began to run.
        end_time: When it ended.
        error: Why it failed, or an empty string.
        logs: Address of each of its log files, by path.
    """

    start_time: datetime | None = None
    end_time: datetime | None = None
    error: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)


class RunHistory(Protocol):
    """Where details and logs of runs come from."""

    def details(self, run: str) -> RunDetails:
        """Return what is known of a run."""

    def read(self, address: str, offset: int) -> bytes:
        """Return a log file's content from an offset in bytes on."""


class SdkRunHistory:
    """Run history as the SDK reaches it.

    `MLClient.jobs.stream` prints to stdout and raises when the job fails, so its parts are used:
    they are private to azure-ai-ml, which is why its minor version is pinned.
    """

    def __init__(self, ml_client: Any) -> None:
        self._jobs = ml_client.jobs

    def details(self, run: str) -> RunDetails:
        """Return what is known of a run."""
        found = self._jobs._runs_operations.get_run_details(run)  # noqa: SLF001
        inner = getattr(found.error, "error", None)
        logs = found.log_files or {}
        return RunDetails(
            start_time=found.start_time_utc,
            end_time=found.end_time_utc,
            error=getattr(inner, "message", None) or "",
            logs={path: logs[path] for path in sorted(logs) if _LOGS.fullmatch(path)},
        )

    def read(self, address: str, offset: int) -> bytes:
        """Return a log file's content from an offset in bytes on; empty where there is no more."""
        response = self._jobs._requests_pipeline.get(  # noqa: SLF001
            address, headers={"Range": f"bytes={offset}-"}, **_TIMEOUTS
        )
        if response.status_code in {404, 416}:  # not written yet; nothing beyond the offset
            return b""
        if response.status_code >= 400:
            raise HttpResponseError(response=response)
        content: bytes = response.body()
        return content if response.status_code == 206 else content[offset:]

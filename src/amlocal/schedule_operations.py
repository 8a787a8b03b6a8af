"""Schedules of a workspace, by `MLClient.schedules`' names: one protocol for both targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from amlocal.endpoint_operations import Poller
from amlocal.plan import ScheduleInfo, ScheduleTriggerResult
from amlocal.plan.source import Source


class ScheduleOperations(Protocol):
    """Schedules: what a workspace starts by itself, and when."""

    def begin_create_or_update(
        self, schedule: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Poller[ScheduleInfo]:
        """Create a schedule, or replace one of its name; it is enabled afterwards.

        Args:
            schedule: The path of its file, a `JobSchedule` or `MonitorSchedule` of azure-ai-ml, or
                None to change the one that `name` names by settings alone; that one stays as
                enabled as it is.
            overrides: `a.b=c` settings.
            name: Stands for the name in the file.

        Raises:
            SpecError: A file is wrong; holds every problem.
            UsageError: A setting is wrong.
            NotFoundError: There is no such schedule to change, or no job that it names.
        """

    def get(self, name: str) -> ScheduleInfo:
        """Return a schedule; raises NotFoundError."""

    def list(self, *, list_view_type: str = "EnabledOnly") -> Sequence[ScheduleInfo]:
        """Return schedules by name; `list_view_type` is EnabledOnly, DisabledOnly, or All."""

    def begin_enable(self, name: str) -> Poller[ScheduleInfo]:
        """Let a schedule start jobs; slots that passed while it was disabled are none."""

    def begin_disable(self, name: str) -> Poller[ScheduleInfo]:
        """Let a schedule start no jobs; those that run go on."""

    def begin_delete(self, name: str) -> Poller[None]:
        """Delete a schedule, which must be disabled; the jobs that it started stay."""

    def trigger(self, name: str) -> ScheduleTriggerResult:
        """Start a schedule's job now, out of turn; also of one that is disabled."""

"""Schedules of the workspace: their records, the scheduler's work, and what commands do."""

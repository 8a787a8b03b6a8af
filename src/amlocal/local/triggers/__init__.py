"""Triggers: events that start jobs."""

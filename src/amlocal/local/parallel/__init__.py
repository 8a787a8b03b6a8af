"""Parallel steps: a run in a process of its own, whose workers call an entry script."""

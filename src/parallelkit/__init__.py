"""Runs Azure's parallel entry scripts: `init()` once a worker, `run(mini_batch)` for each.

A program of its own, which runs in the environment of a step: `python -m parallelkit`.
"""

"""Runs Azure's parallel entry scripts: `init()` once a worker, `run(mini_batch)` for each.

A program of its own, which runs in the environment of a step: `python -m parallelkit`. That may be
of an old Python: what is here, and `stepkit.mltable`, runs from Python 3.7 on.
"""

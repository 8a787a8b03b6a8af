"""Which step needs which: pure, over the plan."""

from __future__ import annotations

from collections.abc import Mapping

from amlocal.plan import Job, StepOutput


def needs(job: Job) -> Mapping[str, frozenset[str]]:
    """Return for each step of a job the steps whose outputs it takes, in the file's order."""
    return {
        step.name: frozenset(
            binding.step for binding in step.inputs.values() if isinstance(binding, StepOutput)
        )
        for step in job.steps
    }


def downstream(job: Job, name: str) -> frozenset[str]:
    """Return the steps that need a step, directly or through others."""
    edges = needs(job)
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        following = {step for step, needed in edges.items() if at in needed} - found
        found |= following
        waiting += following
    return frozenset(found)

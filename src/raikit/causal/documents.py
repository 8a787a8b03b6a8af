"""Causal effects as JSON, for files and for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from raikit.causal.effects import Effects
from raikit.causal.policy import Policy

FORMAT = 1


def document(found: Effects) -> dict[str, Any]:
    """Return all that an analysis came to: averages, each test row's, and policies."""
    return {
        "format": FORMAT,
        "outcome": found.outcome,
        "train_rows": found.train_rows,
        "effects": [
            {**asdict(each), "individual": each.individual.tolist()} for each in found.effects
        ],
        "policies": [_policy(each) for each in found.policies],
        "left_out": dict(found.left_out),
        "unexplained": dict(found.unexplained),
        "rows": [str(each) for each in found.index],
    }


def _policy(policy: Policy) -> dict[str, Any]:
    individual = policy.individual
    return {
        "treatment": policy.treatment,
        "rules": [asdict(each) for each in policy.rules],
        "gain": policy.gain,
        "always": dict(policy.always),
        "individual": [
            {"row": str(index), **row}
            for index, row in zip(individual.index, individual.to_dict("records"), strict=True)
        ],
    }

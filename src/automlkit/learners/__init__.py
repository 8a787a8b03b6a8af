"""The learners by Azure's names, and which of them a request allows.

`ExplainableBoosting` and `LinearSplines` are ours: Azure has no such algorithms.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from automlkit.learners import additive, boosting, linear, neighbors, trees
from automlkit.learners.base import Learner
from automlkit.request import Request
from stepkit.program import StepError

__all__ = ["LEARNERS", "Learner", "choose"]

#: By name, those first that are worth trying first.
LEARNERS: dict[str, Learner] = {
    learner.name: learner
    for learner in (
        *boosting.LEARNERS,
        *linear.LEARNERS,
        *additive.LEARNERS,
        *trees.LEARNERS,
        *neighbors.LEARNERS,
    )
}


def choose(request: Request) -> list[Learner]:
    """Return the learners that a request allows.

    Raises:
        StepError: A name is unknown or of another task, or none is left.
    """
    training = request.training
    allowed = [_named(name, request.task) for name in training.allowed_training_algorithms]
    blocked = {_named(name, request.task).name for name in training.blocked_training_algorithms}
    candidates = allowed or [x for x in LEARNERS.values() if request.task in x.tasks]
    chosen = [learner for learner in candidates if learner.name not in blocked]
    if request.weight_column_name is not None:
        unweighted = [learner.name for learner in chosen if not learner.takes_weights]
        chosen = [learner for learner in chosen if learner.takes_weights]
        if not chosen and unweighted:
            raise StepError(
                f"{', '.join(unweighted)} cannot weigh rows",
                hint="allow other algorithms, or leave weight_column_name out",
            )
    if not chosen:
        raise StepError(
            "every algorithm is blocked", hint="shorten training.blocked_training_algorithms"
        )
    return chosen


def _named(name: str, task: str) -> Learner:
    plain = name.replace("_", "").lower()
    known = [learner for learner in LEARNERS.values() if task in learner.tasks]
    for learner in known:
        if learner.name.lower() == plain:
            return learner
    raise StepError(f"no algorithm {name!r} for {task}", hint=_near(name, [x.name for x in known]))


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"

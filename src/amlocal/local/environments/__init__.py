"""Environments: the interpreter and the packages that a step runs with.

A step's environment is *chosen* first, which is cheap and builds nothing, and *prepared* when the
step is about to run::

    environments = Environments(workspace / "environments", environ=os.environ, note=print)
    choice = environments.choose(component.environment, "auto")
    choice.digest           # goes into the step's fingerprint
    choice.approximations   # what differs from Azure, in sentences
    resolved = environments.prepare(choice)
    env = {**os.environ, **resolved.variables}
    env["PATH"] = os.pathsep.join([*map(str, resolved.path_entries), env["PATH"]])

Modes: `auto` takes the current interpreter where it satisfies the environment's requirements, and
else builds a virtual environment with uv; `current` and `isolated` force one of the two.
"""

from __future__ import annotations

from amlocal.local.environments.choice import EnvironmentChoice, ResolvedEnvironment
from amlocal.local.environments.environments import MODES, Environments

__all__ = ["MODES", "EnvironmentChoice", "Environments", "ResolvedEnvironment"]

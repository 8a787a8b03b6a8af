"""Searches for the best model of a table: trials, ensembles, and the model that is delivered."""

from __future__ import annotations

from pathlib import Path

from automlkit.events import Events
from automlkit.request import Request
from automlkit.search.budget import Budget
from automlkit.worker import start_server

#: Imported once, before workers are forked: these take seconds.
LIBRARIES = ("automlkit.search.tasks", "automlkit.learners", "lightgbm", "sklearn.ensemble")


def run(request: Request, out: Path, events: Events) -> None:
    """Search, and write the model, the leaderboard, and the explanation.

    Args:
        request: A classification or regression.
        out: The folder for all that is written.
        events: Told of what happens.

    Raises:
        automlkit.errors.SearchError: No model came out.
        stepkit.program.StepError: The request or its data is wrong.
    """
    budget = Budget.of_this_process(request.limits.timeout_seconds)
    # It imports the learners while this process reads the tables.
    starter = start_server(LIBRARIES)
    from automlkit.search.conduct import conduct
    from automlkit.search.session import Session

    conduct(Session.begin(request, out, events, budget, starter))

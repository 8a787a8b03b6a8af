"""Searches for the best model of a table: trials, ensembles, and the model that is delivered."""

from __future__ import annotations

import sys
from pathlib import Path

from automlkit.events import Events
from automlkit.request import Request
from automlkit.search.budget import Budget
from automlkit.search.server import start_server


def run(request: Request, out: Path, events: Events) -> int:
    """Search, and write the model, the leaderboard, and the explanation.

    Args:
        request: A classification or regression.
        out: The folder for all that is written.
        events: Told of what happens.

    Returns:
        0; 1 where no model came out; 2 where the request or its data is wrong. The reason is then
        the last line of standard error.
    """
    budget = Budget.of_this_process(request.limits.timeout_seconds)
    # It imports the learners while this process reads the tables.
    starter = start_server()
    from automlkit.search.conduct import conduct
    from automlkit.search.deliver import SearchError
    from automlkit.search.session import Session
    from stepkit.program import StepError

    try:
        conduct(Session.begin(request, out, events, budget, starter))
    except StepError as error:
        print(" ".join(str(error).split("\n")), file=sys.stderr)
        return 2
    except SearchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

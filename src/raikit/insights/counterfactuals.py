"""Counterfactuals of as many test rows as there is time for."""

from __future__ import annotations

import os
import time

from raikit.counterfactual import Counterfactuals, Settings, generate
from raikit.insights.store import Subject
from stepkit.program import StepError

#: Seconds of searching, unless the variable below says otherwise.
SECONDS = 40.0
VARIABLE = "AMLOCAL_RAI_COUNTERFACTUAL_SECONDS"


def counterfactuals(subject: Subject, settings: Settings) -> tuple[list[Counterfactuals], int]:
    """Search the test rows from the first on, until the time is over.

    Azure's component searches all of them, for hours where there are thousands.

    Args:
        subject: The model and its tables.
        settings: What is asked.

    Returns:
        What was found, and how many rows were left.

    Raises:
        StepError: It cannot be asked so.
    """
    given = os.environ.get(VARIABLE, str(SECONDS))
    try:
        until = time.monotonic() + float(given)
    except ValueError:
        raise StepError(f"{VARIABLE} is {given!r}", hint="give seconds, as in 600") from None
    found = []
    for each in generate(subject.model, subject.train, subject.test, settings):
        found.append(each)
        if time.monotonic() > until:
            break
    return found, len(subject.test) - len(found)

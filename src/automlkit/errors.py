"""Why a search ends without a model; what is wrong with a request or its data is a `StepError`."""

from __future__ import annotations


class SearchError(Exception):
    """No model can be delivered."""

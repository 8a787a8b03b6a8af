"""Counterfactuals: what would have to differ in a row for the model to say something else."""

from raikit.counterfactual.documents import document
from raikit.counterfactual.generate import (
    Counterfactuals,
    generate,
    importance,
    summary_importance,
)
from raikit.counterfactual.sections import describe, sections
from raikit.counterfactual.settings import Settings

__all__ = [
    "Counterfactuals",
    "Settings",
    "describe",
    "document",
    "generate",
    "importance",
    "sections",
    "summary_importance",
]

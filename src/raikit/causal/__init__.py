"""Causal effects: what would become of the outcome if one column were set to something else."""

from raikit.causal.documents import document
from raikit.causal.effects import Effect, Effects, analyse
from raikit.causal.policy import Policy, Rule
from raikit.causal.sections import describe, sections
from raikit.causal.settings import ASSUMPTIONS, Settings

__all__ = [
    "ASSUMPTIONS",
    "Effect",
    "Effects",
    "Policy",
    "Rule",
    "Settings",
    "analyse",
    "describe",
    "document",
    "sections",
]

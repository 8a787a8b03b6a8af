"""What is asked of a causal analysis, and what must hold for its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from raikit.columns import require_features
from stepkit.program import StepError

Nuisance = Literal["linear", "automl"]
Heterogeneity = Literal["linear", "forest"]

#: What must hold for an effect to be one, in plain words.
ASSUMPTIONS = (
    "No hidden common cause: everything that drives both the treatment and the outcome is a column "
    "of the table. Nothing in the data can prove it.",
    "Nothing that comes after the treatment is among the columns: a consequence of it that is held "
    "fixed hides part of the effect.",
    "Overlap: rows that are alike in all else do differ in the treatment. Where everybody is "
    "treated alike, there is nothing to compare.",
    "Rows do not affect each other, and the treatment means the same for each of them.",
)


@dataclass(frozen=True)
class Settings:
    """What is asked; names and defaults are those of Azure's component.

    Attributes:
        treatment_features: Columns whose effect is asked for.
        heterogeneity_features: Columns that effects may differ by; None for all.
        nuisance_model: How outcome and treatment are predicted from all else: `linear` (lasso and
            logistic), or `automl` (the best of these, a forest, and boosting: a minute a column).
        heterogeneity_model: How effects differ: `linear` or `forest`.
        alpha: One minus the level of the intervals.
        upper_bound_on_cat_expansion: A treatment of more names than this is left out.
        treatment_cost: What a treatment costs, by column, in units of the outcome; a number for
            all.
        min_tree_leaf_samples: Rows in a leaf of a policy tree.
        max_tree_depth: Of a policy tree.
        skip_cat_limit_checks: Take treatments of which a name has fewer than ten rows, too.
        categories: By column the names it may take, of which the first is compared with.
        categorical: Columns that are names of things though they are written as numbers.
        immutable: Columns that nobody can treat; `sections` does not choose them.
        train_rows: Rows that effects are learned from.
        test_rows: Rows that effects are told of.
        n_jobs: Treatments at a time.
        seed: For folds and forests.
    """

    treatment_features: Sequence[str] = ()
    heterogeneity_features: Sequence[str] | None = None
    nuisance_model: Nuisance = "linear"
    heterogeneity_model: Heterogeneity = "linear"
    alpha: float = 0.05
    upper_bound_on_cat_expansion: int = 50
    treatment_cost: float | Mapping[str, float] = 0.0
    min_tree_leaf_samples: int = 2
    max_tree_depth: int = 2
    skip_cat_limit_checks: bool = False
    categories: Mapping[str, Sequence[str]] | None = None
    categorical: Sequence[str] = ()
    immutable: Sequence[str] = ()
    train_rows: int = 5000
    test_rows: int = 2000
    n_jobs: int = 1
    seed: int = 0

    def cost(self, treatment: str) -> float:
        """Return what a treatment costs."""
        if isinstance(self.treatment_cost, Mapping):
            return float(self.treatment_cost.get(treatment, 0.0))
        return float(self.treatment_cost)


def check(settings: Settings, features: Mapping[str, str]) -> None:
    """Check that an analysis can be done.

    Raises:
        StepError: There is no treatment, a column is no feature, or a setting is out of range.
    """
    if not settings.treatment_features:
        raise StepError("no treatment to tell the effect of", hint="name a column as treatment")
    require_features(settings.treatment_features, features, "treatment column")
    require_features(settings.heterogeneity_features or (), features, "heterogeneity column")
    require_features(settings.categorical, features, "categorical column")
    if not 0 < settings.alpha < 1:
        raise StepError(f"alpha is {settings.alpha}", hint="such as 0.05, for 95 % intervals")
    for name, value, known in (
        ("nuisance_model", settings.nuisance_model, get_args(Nuisance)),
        ("heterogeneity_model", settings.heterogeneity_model, get_args(Heterogeneity)),
    ):
        if value not in known:
            raise StepError(f"no {name} {value!r}", hint=f"one of {', '.join(known)}")
    if settings.max_tree_depth < 1 or settings.min_tree_leaf_samples < 1:
        raise StepError("a policy tree needs a depth and leaves of at least 1")

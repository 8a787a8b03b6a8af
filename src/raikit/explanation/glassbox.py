"""What an explainable boosting machine says of itself: its terms, whole and for a row.

Its score is a sum: the intercept, one curve a column, and some pairs (Y. Lou, R. Caruana,
J. Gehrke, G. Hooker, "Accurate intelligible models with pairwise interactions", KDD 2013,
doi:10.1145/2487575.2487579). So nothing is estimated here, but for the bands, which are one
standard deviation of the curves of its outer bags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.explanation.parts import is_ebm, take_apart
from raikit.explanation.subject import MISSING, Subject
from stepkit.metrics import Floats
from stepkit.table import label_text

#: What the terms' bins are called that hold values unseen in training.
UNSEEN = "(unseen)"


@dataclass(frozen=True)
class Term:
    """One term of the sum.

    Attributes:
        columns: Numbers of its raw columns: one, or two of a pair.
        name: Their names.
        importance: Mean absolute contribution over the training rows, in the score's unit.
        bins: Of each column, the bins' names; of a number `-inf to 3.5`, ..., the missing first.
        edges: Of each column, the cuts between bins of a number; empty for a category.
        bounds: Least and greatest value in training of each column; None of a category.
        scores: Contribution of each bin, shape (bins, outputs) or (bins, bins, outputs).
        deviations: Standard deviation of each over the outer bags, same shape.
        counts: Training rows (by weight) in each bin, shape (bins,) or (bins, bins).
    """

    columns: tuple[int, ...]
    name: str
    importance: float
    bins: tuple[tuple[str, ...], ...]
    edges: tuple[Floats, ...]
    bounds: tuple[tuple[float, float] | None, ...]
    scores: Floats
    deviations: Floats
    counts: Floats

    def curve(self, output: int) -> tuple[list[float | str], Floats, Floats]:
        """Return the curve of a term of one column: where, how much, and its deviation.

        Of a number, each value holds until the next place; of a category, places are its names.
        Bins without rows are left out, and so are missing numbers.
        """
        scores, deviations = self.scores[:, output], self.deviations[:, output]
        bounds = self.bounds[0]
        if bounds is None:
            kept = np.flatnonzero(self.counts > 0)
            return [self.bins[0][place] for place in kept], scores[kept], deviations[kept]
        places = [bounds[0], *self.edges[0].tolist(), bounds[1]]
        # The first bin is of missing values, the last of unseen ones; the last step is drawn out.
        inner = [*range(1, len(places)), len(places) - 1]
        return list(places), scores[inner], deviations[inner]


def ebm_of(subject: Subject) -> Any:
    """Return the EBM that the subject is, or None: another model, or one behind a preparation."""
    parts = take_apart(subject.estimator)
    return parts.end if parts.prepare is None and is_ebm(parts.end) else None


def terms_of(subject: Subject) -> tuple[Term, ...]:
    """Return the terms of a subject that is an EBM, the most important first; else none."""
    ebm = ebm_of(subject)
    if ebm is None:
        return ()
    strengths = np.asarray(ebm.term_importances())
    found = [_term(subject, ebm, place, float(strengths[place])) for place in range(len(strengths))]
    return tuple(sorted(found, key=lambda term: -term.importance))


def _term(subject: Subject, ebm: Any, place: int, importance: float) -> Term:
    columns = tuple(int(each) for each in ebm.term_features_[place])
    names, edges = [], []
    for column in columns:
        levels = ebm.bins_[column]
        # A column of a pair may have coarser bins than its own curve.
        own = levels[min(len(columns), len(levels)) - 1]
        names.append(_bin_names(own))
        edges.append(np.empty(0) if isinstance(own, dict) else np.asarray(own, dtype=np.float64))
    return Term(
        columns,
        " and ".join(subject.names[column] for column in columns),
        importance,
        tuple(names),
        tuple(edges),
        tuple(_bounds(ebm, column) for column in columns),
        _by_output(subject, ebm.term_scores_[place], len(columns)),
        _spread(subject, ebm, place, len(columns)),
        np.asarray(ebm.bin_weights_[place], dtype=np.float64),
    )


def _bounds(ebm: Any, column: int) -> tuple[float, float] | None:
    if isinstance(ebm.bins_[column][0], dict):
        return None
    low, high = ebm.feature_bounds_[column]
    return float(low), float(high)


def _by_output(subject: Subject, scores: Any, columns: int) -> Floats:
    """Return scores with outputs last: as they are of two classes turned to the positive one."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim == columns:
        return np.asarray((-scores if subject.positive == 0 else scores)[..., None])
    return np.asarray(scores - scores.mean(axis=-1, keepdims=True))


def _spread(subject: Subject, ebm: Any, place: int, columns: int) -> Floats:
    bags = getattr(ebm, "bagged_scores_", None)
    if bags is None or len(bags[place]) < 2:  # one bag has no spread
        return np.zeros_like(_by_output(subject, ebm.term_scores_[place], columns))
    each = [_by_output(subject, bag, columns) for bag in bags[place]]
    return np.asarray(np.std(each, axis=0, ddof=1))


def _bin_names(levels: Any) -> tuple[str, ...]:
    """Return the bins' names: missing, those of the levels, unseen."""
    if isinstance(levels, dict):
        names = [""] * max(levels.values(), default=0)
        for level, number in levels.items():
            names[number - 1] = label_text(level)
        return (MISSING, *names, UNSEEN)
    cuts = [f"{cut:.6g}" for cut in levels]
    between = [f"{low} to {high}" for low, high in pairwise(cuts)]
    named = (f"below {cuts[0]}", *between, f"{cuts[-1]} and more") if cuts else ("any",)
    return (MISSING, *named, UNSEEN)


def own_contributions(
    subject: Subject, ebm: Any, rows: pd.DataFrame, background: pd.DataFrame
) -> Floats:
    """Return the EBM's own contributions of raw columns, pairs shared in halves.

    Each term is taken as its difference from its mean over the background, so that a column at
    whose term nothing differs has none. Of curves of one column these are the exact Shapley values
    of the score; of a pair, halves are, as far as the pair has no effect of one column alone.

    Args:
        subject: What `ebm` is the model of.
        ebm: What `ebm_of` returned.
        rows: Raw columns of the rows to explain.
        background: Raw columns of the rows that they are compared with.

    Returns:
        Contributions to log-odds or to the quantity, shape (rows, columns, outputs).
    """
    terms = own_terms(subject, ebm, rows)
    centred = terms - own_terms(subject, ebm, background).mean(axis=0)
    values = np.zeros((len(rows), len(subject.names), terms.shape[2]))
    for place, columns in enumerate(ebm.term_features_):
        for column in columns:
            values[:, column] += centred[:, place] / len(columns)
    return values


def own_terms(subject: Subject, ebm: Any, rows: pd.DataFrame) -> Floats:
    """Return each term's contribution to each row, shape (rows, terms, outputs)."""
    return _by_output(subject, ebm.eval_terms(rows), 2)


def intercept(subject: Subject, ebm: Any) -> Floats:
    """Return what the score is before any term, shape (outputs,)."""
    own = np.ravel(np.asarray(ebm.intercept_, dtype=np.float64))
    return _by_output(subject, own[0] if len(own) == 1 else own, 0)


def column_importances(terms: Sequence[Term], columns: int) -> NDArray[np.float64]:
    """Return the terms' importances summed by raw column, a pair's shared in halves."""
    found = np.zeros(columns)
    for term in terms:
        for column in term.columns:
            found[column] += term.importance / len(term.columns)
    return found

"""Data balance: how many rows each group has, and how labels are shared out among groups.

The measures are those of Microsoft's data balance analysis (package raimitigations, module
databalanceanalysis), where their definition is sound:
    feature balance, of each group and the positive label: the label's share (demographic parity),
        pointwise mutual information ln P(label, group) / (P(label) P(group)), the Sorensen-Dice
        coefficient 2 P(label, group) / (P(label) + P(group)), and the Jaccard index;
    distribution balance, of the groups' shares p against 1/k each: Kullback-Leibler divergence,
        Jensen-Shannon distance, both in natural logarithms, total variation, infinity norm,
        Wasserstein distance of the shares, and the chi-squared test;
    aggregate balance, of the same shares: Atkinson index (epsilon 1), Theil's T and L.
Its t-test and its rank correlation are left out: the former has no variance of the sample in it,
and the latter takes two arguments in the other's place. Instead the greatest difference of label
shares has an interval.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chisquare, entropy, wasserstein_distance

from raikit.groups import Grouping
from stepkit.metrics import Floats


def distribution_balance(counts: NDArray[np.intp]) -> dict[str, float]:
    """Return how far groups are from all being as large; 0 where they are.

    Args:
        counts: Rows of each group, all above 0, shape (k,).
    """
    share = counts / counts.sum()
    even = np.full(len(counts), 1 / len(counts))
    test = chisquare(counts)
    return {
        "kl_divergence": float(entropy(share, even)),
        "js_distance": float(jensenshannon(share, even)),
        "wasserstein_distance": float(wasserstein_distance(share, even)),
        "infinity_norm_distance": float(np.abs(share - even).max()),
        "total_variation_distance": float(np.abs(share - even).sum() / 2),
        "chi_squared": float(test.statistic),
        "chi_squared_p_value": float(test.pvalue),
    }


def aggregate_balance(counts: NDArray[np.intp]) -> dict[str, float]:
    """Return how unequal groups are in size; 0 where all are as large.

    Args:
        counts: Rows of each group, all above 0, shape (k,).
    """
    relative = counts / counts.mean()
    logarithms = np.log(relative)
    return {
        # The geometric mean by logarithms, since the product of many shares is 0 in floats.
        "atkinson_index": float(1 - np.exp(logarithms.mean())),
        "theil_t_index": float((relative * logarithms).mean()),
        "theil_l_index": float(-logarithms.mean()),
    }


def feature_balance(positive: NDArray[np.bool_], grouping: Grouping) -> Mapping[str, Floats]:
    """Return how the positive label and each group go together, one value a group.

    Pointwise mutual information is NaN where a group has no positive label, since it is minus
    infinity there.

    Args:
        positive: Whether each row has the positive label, some have, and some have not.
        grouping: Of the same rows.
    """
    size = len(grouping.labels)
    of_group = grouping.counts / len(positive)
    both = np.bincount(grouping.codes[positive], minlength=size) / len(positive)
    of_label = float(positive.mean())
    share = both / of_group
    information = np.full(size, np.nan)
    np.log(share / of_label, out=information, where=both > 0)
    return {
        "label_share": share,
        "pointwise_mutual_information": information,
        "sorensen_dice": 2 * both / (of_group + of_label),
        "jaccard_index": both / (of_group + of_label - both),
    }

"""The corrected resampled t-test.

Folds of cross-validation share most of their training rows, so that their differences are not
independent, and the plain t-test finds gains where there are none. C. Nadeau and Y. Bengio
("Inference for the generalization error", Machine Learning 52 (2003) 239-281,
doi:10.1023/A:1024068626366) correct the variance of the mean of J differences d_j, each of models
trained on n1 rows and tested on n2 others:

    var = (1 / J + n2 / n1) * s^2,   s^2 = sum (d_j - mean d)^2 / (J - 1)

The interval is mean d +- t * sqrt(var), with t the quantile of Student's distribution of J - 1
degrees of freedom. R. Bouckaert and E. Frank (PAKDD 2004) use it for repeated cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from stepkit.metrics import Floats


@dataclass(frozen=True)
class Gain:
    """How much better one setting is than another.

    Attributes:
        mean: Mean over the folds; below 0 where the first is worse.
        low: Lower bound of the interval.
        high: Upper bound of the interval.
    """

    mean: float
    low: float
    high: float


def corrected_gain(differences: Floats, test_to_train: float, confidence: float) -> Gain:
    """Return the mean difference with its corrected interval.

    Args:
        differences: Of each fold of each repeat, shape (J,), J at least 2.
        test_to_train: Rows tested on per row trained on (n2 / n1).
        confidence: Of the interval.
    """
    count = len(differences)
    mean = float(differences.mean())
    variance = (1 / count + test_to_train) * float(differences.var(ddof=1))
    reach = float(student.ppf((1 + confidence) / 2, count - 1)) * np.sqrt(variance)
    return Gain(mean, mean - float(reach), mean + float(reach))

"""From a number in [0, 1) to a value of a distribution, by the inverse of its cumulative one: pure.

The formulas are those of Azure ML's page "Hyperparameter tuning a model", for example
`quniform`: round(uniform(min_value, max_value) / q) * q. The bounds of a logarithmic distribution
are logarithms.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from amlocal.plan import Choice, Distributed, Randint, Scalar, Uniform

#: Rounding to multiples of 0.1 is to give 0.3, not 0.30000000000000004.
_DIGITS = 12
#: The inverse of a normal distribution is infinite at 0.
_LEAST = 2.0**-53


def value_at(distribution: Distributed, position: float, base: float = math.e) -> Scalar:
    """Return the value that a share of a distribution's mass lies below.

    Args:
        distribution: A parameter's distribution.
        position: The share, in [0, 1).
        base: Base of the logarithmic distributions.
    """
    if isinstance(distribution, Choice):
        return distribution.values[int(position * len(distribution.values))]
    if isinstance(distribution, Randint):
        return int(position * distribution.upper)
    if isinstance(distribution, Uniform):
        low, high = distribution.min_value, distribution.max_value
        value = low + position * (high - low)
    else:
        bell = NormalDist(distribution.mu, distribution.sigma)
        value = bell.inv_cdf(max(position, _LEAST))
    if distribution.is_log:
        value = base**value
    return value if distribution.q is None else quantized(value, distribution.q)


def quantized(value: float, q: float) -> float | int:
    """Return the multiple of `q` nearest to a value, whole where `q` is.

    A whole multiple is an `int`, so that scripts which parse whole numbers read it.
    """
    multiple = round(value / q) * q
    return int(multiple) if float(q).is_integer() else round(multiple, _DIGITS)

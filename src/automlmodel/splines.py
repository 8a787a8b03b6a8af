"""Natural cubic splines: curves that are straight beyond the outer knots."""

from __future__ import annotations

import numpy as np

from automlmodel.values import Floats


class Splines:
    """The curved part of a natural cubic spline of each column.

    With knots k_1 < ... < k_K, basis functions d_j - d_{K-1} for j = 1 ... K-2, where
    d_j(x) = ((x - k_j)^3_+ - (x - k_K)^3_+) / (k_K - k_j) (Hastie, Tibshirani, Friedman, "The
    Elements of Statistical Learning", 2nd edition, eq. 5.4 and 5.5). The straight part is the
    column itself.

    Args:
        knots: How many, at equal quantiles of the training values.
    """

    def __init__(self, knots: int) -> None:
        self.knots = knots

    def fit(self, table: Floats) -> None:
        """Place the knots; a column with too few different values stays straight."""
        quantiles = np.linspace(0.02, 0.98, self.knots)
        places, columns = [], []
        for column, values in enumerate(table.T):
            distinct = np.unique(values)
            found = np.unique(np.quantile(values, quantiles))
            if len(found) < self.knots:
                # Most rows have one value: the knots lie among the different ones.
                found = np.unique(np.quantile(distinct, quantiles))
            if len(found) == self.knots <= len(distinct):
                places.append(found)
                columns.append(column)
        self.bent = np.array(columns, dtype=np.intp)
        knots = np.array(places).reshape(len(columns), self.knots)
        self.low = knots[:, :1]
        self.span = knots[:, -1:] - self.low
        # On a scale of 0 to 1, so that cubes of large numbers stay small.
        self.at = (knots - self.low) / self.span if len(columns) else knots

    def places(self) -> list[tuple[int, int]]:
        """Return the column and the number of each function."""
        return [(int(column), bend) for column in self.bent for bend in range(self.knots - 2)]

    def transform(self, table: Floats) -> Floats:
        """Return the functions' values, shape (rows, bent columns x (knots - 2))."""
        if not len(self.bent):
            return np.empty((len(table), 0))
        x = (table[:, self.bent, None] - self.low) / self.span
        cubes = np.maximum(x - self.at, 0.0) ** 3
        d = (cubes[:, :, :-1] - cubes[:, :, -1:]) / (1.0 - self.at[:, :-1])
        return np.asarray((d[:, :, :-1] - d[:, :, -1:]).reshape(len(table), -1))

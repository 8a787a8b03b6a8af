"""Explains a delivered model by how much worse it predicts when a column is shuffled."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automlkit.search.objective import Floats
from automlkit.search.selection import Truth
from stepkit.program import write_bytes, write_text

#: Rows that importance is measured on at most.
MOST_ROWS = 1000
#: Times that each column is shuffled at most.
SHUFFLES = 5
#: Columns in the picture.
SHOWN = 20


def permutation_importance(
    predict: Callable[[pd.DataFrame], Floats],
    table: pd.DataFrame,
    truth: Truth,
    *,
    seed: int,
    seconds: float,
) -> list[tuple[str, float, float]]:
    """Return each column's importance: by how much the loss grows where it is shuffled.

    Breiman, "Random Forests", Machine Learning 45 (2001) 5-32, section 10; model-agnostic as in
    Fisher, Rudin, Dominici, JMLR 20 (2019) 177.

    Args:
        predict: Predicts rows of raw columns.
        table: Raw columns.
        truth: Of the rows.
        seed: Of the shuffles.
        seconds: After these no further shuffle begins; columns not reached are left out.

    Returns:
        Column, mean growth of the loss, and its standard deviation; the most important first.
    """
    end = time.monotonic() + seconds
    random = np.random.default_rng(seed)
    before = truth.of(predict(table))
    growths: dict[str, list[float]] = {}
    for _ in range(SHUFFLES):
        for name in table.columns:
            if time.monotonic() >= end:
                break
            order = random.permutation(len(table))
            shuffled = table.assign(**{name: table[name].to_numpy()[order]})
            growths.setdefault(name, []).append(truth.of(predict(shuffled)) - before)
    rows = [(name, float(np.mean(each)), float(np.std(each))) for name, each in growths.items()]
    return sorted(rows, key=lambda row: -row[1])


def write_explanation(folder: Path, rows: list[tuple[str, float, float]], loss: str) -> None:
    """Write `importance.csv` and `importance.png`.

    Args:
        folder: Made where missing.
        rows: What `permutation_importance` returned.
        loss: What the loss is, for the picture's axis.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["column", "importance", "standard_deviation"])
    writer.writerows(rows)
    write_text(folder / "importance.csv", stream.getvalue())
    write_bytes(folder / "importance.png", _picture(rows[:SHOWN], loss))


def write_terms(folder: Path, model: Any) -> None:
    """Write `terms.csv`, an explainable boosting machine's own importances of its terms."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["term", "importance"])
    importances = np.asarray(model.term_importances(), dtype=np.float64)
    for place in np.argsort(-importances):
        writer.writerow([model.term_names_[place], importances[place]])
    write_text(folder / "terms.csv", stream.getvalue())


def _picture(rows: list[tuple[str, float, float]], loss: str) -> bytes:
    # Matplotlib is slow to import, and searches without explanation do not need it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    shown = rows[::-1]
    axes.barh([row[0] for row in shown], [row[1] for row in shown], xerr=[row[2] for row in shown])
    # Of the figure, not of the axes: long names leave those little room.
    figure.supxlabel(
        f"growth of the loss where the column is shuffled\n({loss})", fontsize="medium"
    )
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    return stream.getvalue()

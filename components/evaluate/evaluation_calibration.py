"""Whether a model's probabilities can be taken at their word, by a stated rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluation_words import number, share

from stepkit.calibration import (
    CURVE_BINS,
    ECE_BINS,
    Curve,
    Recalibration,
    chance_ece,
    curve_of,
    judged,
    recalibrate,
)
from stepkit.figures import Figure
from stepkit.findings import Chart, Line, Section, Table
from stepkit.model import Scores

#: A calibration error of at most this changes no decision.
NEGLIGIBLE = 0.02
#: One above this makes probabilities useless as such.
LARGE = 0.05
#: Half the width of an interval, in standard errors.
_Z = 1.96

Verdict = Literal["good", "warning", "bad", ""]


@dataclass(frozen=True)
class Calibration:
    """How probabilities and truth agree.

    Attributes:
        error: The expected calibration error.
        by_chance: What 95 of 100 samples of this size would stay below, were they right.
        curve: Stated probabilities against what came true.
        fit: What would make them right; None where the rows do not define it.
        stated: The mean probability.
        came: The share that came true.
        rows: How many rows there are.
    """

    error: float
    by_chance: float
    curve: Curve
    fit: Recalibration | None
    stated: float
    came: float
    rows: int

    @property
    def verdict(self) -> Verdict:
        """Whether probabilities can be used as such.

        `good` where the error is at most `NEGLIGIBLE`, or no more than chance gives; `bad` where it
        is more than both and above `LARGE`; else `warning`. Empty where chance alone may give more
        than `LARGE`: there are too few rows to tell.
        """
        if self.error > max(self.by_chance, NEGLIGIBLE):
            return "bad" if self.error > LARGE else "warning"
        return "" if self.by_chance > LARGE else "good"

    @property
    def fault(self) -> str:
        """What is wrong with the probabilities, in words; empty where nothing stands out."""
        if self.fit is None:
            return ""
        found = []
        if abs(self.fit.intercept) > _Z * self.fit.intercept_error:
            way = "low" if self.fit.intercept > 0 else "high"
            found.append(
                f"too {way}: {share(self.stated)} on average, where {share(self.came)} come true"
            )
        if abs(self.fit.slope - 1) > _Z * self.fit.slope_error:
            found.append(
                "too extreme: nearer to 0 and 1 than the truth warrants (overconfident)"
                if self.fit.slope < 1
                else "too cautious: not as near to 0 and 1 as they could be (underconfident)"
            )
        return "; and ".join(found)


def measure(scores: Scores, seed: int) -> Calibration:
    """Measure how probabilities and truth agree.

    Args:
        scores: Predictions with probabilities.
        seed: Of what chance does.
    """
    stated, came = judged(scores.truth, scores.probabilities, scores.positive)
    return Calibration(
        error=scores.metrics["ece"],
        by_chance=chance_ece(stated, seed=seed),
        curve=curve_of(stated, came),
        fit=recalibrate(stated, came),
        stated=float(stated.mean()),
        came=float(came.mean()),
        rows=len(stated),
    )


def figures_of(found: Calibration) -> list[Figure]:
    """Return what is beside the Brier score and the ECE: chance's share, slope, and intercept."""
    rows = found.rows
    figures = [
        Figure(
            "ece_by_chance",
            "predictive",
            found.by_chance,
            None,
            rows,
            note="what right probabilities stay below in 95 of 100 samples of this size",
        )
    ]
    meaning = {
        "calibration_slope": "1 is right, below 1 too extreme, above 1 too cautious",
        "calibration_intercept": "0 is right, above 0 too low, below 0 too high",
    }
    for name, note in meaning.items():
        if found.fit is None:
            missing = "the probabilities part what came true without a fault, or all came true"
            figures.append(Figure(name, "predictive", None, None, rows, note=missing))
            continue
        part = name.removeprefix("calibration_")
        value = getattr(found.fit, part)
        half = _Z * getattr(found.fit, f"{part}_error")
        figures.append(
            Figure(name, "predictive", value, None, rows, value - half, value + half, note=note)
        )
    return figures


def section(found: Calibration, scores: Scores) -> Section:
    """Return what a reader sees of it."""
    if scores.positive is None:
        what = "that the predicted class is the right one"
    else:
        what = f"of {scores.classes[scores.positive]!r}"
    outcome = {
        "good": "The probabilities can be taken at their word",
        "warning": "The probabilities are somewhat off",
        "bad": "The probabilities cannot be taken at their word",
        "": "There are too few test rows to tell whether the probabilities are right",
    }[found.verdict]
    words = [
        f"{outcome}: they are off by {100 * found.error:.1f} percentage points on average (ECE, "
        f"{ECE_BINS} bins of equal width); right ones would be off by up to "
        f"{100 * found.by_chance:.1f} by chance in a sample of this size.",
        "When the model says 30%, it should come true in 30 of 100 cases. Here the probability "
        f"{what} is held against what came true.",
    ]
    if found.fault and found.verdict in ("warning", "bad"):
        words.append(
            f"They are {found.fault}. A calibrated model (such as scikit-learn's "
            "CalibratedClassifierCV around it) would mend that; its ranking may still be good."
        )
    words.append(
        f"The rule: good is an error of at most {100 * NEGLIGIBLE:.0f} points or within chance, "
        f"bad is one beyond chance and above {100 * LARGE:.0f} points."
    )
    return Section(
        "Can its probabilities be trusted?", words, _blocks(found), verdict=found.verdict
    )


def _blocks(found: Calibration) -> list[Chart | Table]:
    curve = found.curve
    line = Line(
        "model", *(each.tolist() for each in (curve.stated, curve.came, curve.low, curve.high))
    )
    right = Line("right", [0.0, 1.0], [0.0, 1.0], style="dotted")
    rows = list(zip(curve.stated, curve.came, curve.low, curve.high, curve.rows, strict=True))
    head = ["stated", "came true", "from", "to", "rows"]
    return [
        Chart(
            [line, right],
            "stated probability",
            "share that came true",
            f"Rows in {len(rows)} groups of about equal size (at most {CURVE_BINS}), with 95% "
            "intervals (Wilson).",
        ),
        Table(
            head,
            [[float(cell) for cell in row[:4]] + [int(row[4])] for row in rows],
            {**dict.fromkeys(head[:4], ".1%"), "rows": ",d"},
            "Stated probability and what came true.",
        ),
    ]


def conclusion(found: Calibration) -> str:
    """Return the verdict in a few words."""
    state = {"good": "calibrated", "warning": "somewhat miscalibrated", "bad": "miscalibrated"}
    return f"{state.get(found.verdict, 'calibration unknown')} (ECE {number(found.error)})"

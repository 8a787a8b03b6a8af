"""What a reader sees of predicted quantities: how far off they are, and where."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from evaluation_classes import Verdict, against_champion, champion_words
from evaluation_figures import Judged, PartFigures
from evaluation_words import figure_table, number, percent_between

from stepkit.cohorts import Cohort, cut_at_quantiles
from stepkit.figures import Figure
from stepkit.findings import Cell, Chart, Line, Section, Table
from stepkit.model import Scores

#: Ranges of true and of predicted values.
RANGES = 8
#: A range of fewer rows is not said to be biased.
FEWEST = 10
#: Points of the clouds.
MOST_POINTS = 200
TRUE, PREDICTED = "true value", "predicted value"


def ranges_of(scores: Scores) -> list[Cohort]:
    """Return the rows by ranges of the true and of the predicted value, of about equal size."""
    import pandas as pd  # here alone: what cuts a table's column cuts these, too

    return [
        each
        for name, values in ((TRUE, scores.truth), (PREDICTED, scores.predicted))
        for each in cut_at_quantiles(pd.Series(values, name=name), RANGES)
    ]


def sections(
    scores: Scores, target: str, judged: Judged, ranges: Sequence[PartFigures]
) -> list[Section]:
    """Return the sections: how good, and where it is wrong."""
    return [_headline(target, judged), _where(scores, ranges)]


def _headline(target: str, judged: Judged) -> Section:
    by_name = {each.name: each for each in judged.headline}
    mae, bias = by_name["mae"], by_name["bias"]
    assert mae.value is not None
    assert bias.value is not None
    words = [
        f"Its predictions of {target!r} are off by {number(mae.value)} on average{_ends(mae)}, "
        f"over {mae.sample:,} test rows. Half of its errors are below "
        f"{number(by_name['median_ae'].value or 0.0)}, nine of ten are at most "
        f"{number(by_name['ae_p90'].value or 0.0)}.",
        _bias_words(bias),
    ]
    if "r2" in by_name:
        r2 = by_name["r2"].value or 0.0
        words.append(
            f"Of how much {target!r} differs from row to row it explains {r2:.1%} of the variance"
            f"{percent_between(by_name['r2'])}, the R²; always saying the mean would explain none."
        )
    words += champion_words(judged.headline, "rmse")
    return Section(
        "How good are its predictions?",
        words,
        [figure_table(judged.headline, "Every metric, with its interval.")],
        verdict=verdict(by_name.get("r2"), by_name["rmse"]),
    )


def verdict(r2: Figure | None, rmse: Figure) -> Verdict:
    """Return `bad` where it is not better than the mean beyond chance, else what the champion says.

    Always saying the mean has an R² of 0; the interval must lie above it. Where all resamples
    agree, as of a model without an error, there is none, and the value must.
    """
    if r2 is not None:
        low = r2.value if r2.low is None else r2.low
        if low is None or low <= 0:
            return "bad"
    return against_champion(rmse)


def _ends(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" ({figure.level:.0%} interval {number(figure.low)} to {number(figure.high)})"


def _bias_words(bias: Figure) -> str:
    assert bias.value is not None
    if bias.low is not None and bias.high is not None and bias.low <= 0 <= bias.high:
        return "On the whole it predicts neither too much nor too little, as far as can be told."
    way = "much" if bias.value > 0 else "little"
    return f"On the whole it predicts too {way}, by {number(abs(bias.value))}{_ends(bias)}."


def _where(scores: Scores, ranges: Sequence[PartFigures]) -> Section:
    of_predicted = [each for each in ranges if each.part.column == PREDICTED]
    of_true = [each for each in ranges if each.part.column == TRUE]
    return Section(
        "Where is it wrong?",
        [
            "The rows are parted by what the model says, and by what was true. Bias is predicted "
            "minus true: above 0, it says too much.",
            "By what it says, a sound model has no bias: where it says 100, it should be 100 on "
            f"average. {_biased(scores, of_predicted)}",
            "By what was true, every model says too much where the truth is low, and too little "
            "where it is high, since it cannot know what the features do not tell.",
        ],
        [
            _table(of_predicted, "By what the model says."),
            _table(of_true, "By what was true."),
            _bias_chart(scores, of_predicted),
            _cloud(scores),
        ],
    )


def _biased(scores: Scores, ranges: Sequence[PartFigures]) -> str:
    """Say which ranges are biased beyond chance.

    A normal test of each mean, at 5 % divided by the number of ranges (Bonferroni), since of many
    some are always off.
    """
    z = NormalDist().inv_cdf(1 - 0.05 / (2 * len(ranges)))
    off = []
    for each in ranges:
        excess = (scores.predicted - scores.truth)[each.part.rows]
        if len(excess) < FEWEST:
            continue
        bias = float(excess.mean())
        if abs(bias) > z * float(excess.std()) / np.sqrt(len(excess)):
            off.append(f"{each.part.value} ({number(bias)})")
    if not off:
        return "Here no range is off by more than chance explains."
    return f"Here chance does not explain the bias where it says {', '.join(off)}."


def _table(ranges: Sequence[PartFigures], caption: str) -> Table:
    head = ["range", "rows", "mae", "mae from", "mae to", "rmse", "bias", "bias from", "bias to"]
    rows: list[list[Cell]] = []
    for each in ranges:
        mae, rmse, bias = (each.figures[name] for name in ("mae", "rmse", "bias"))
        ends: list[Cell] = [mae.value, mae.low, mae.high, rmse.value, bias.value, bias.low]
        rows.append([each.part.value, len(each.part.rows), *ends, bias.high])
    return Table(head, rows, {"rows": ",d"}, caption)


def _bias_chart(scores: Scores, ranges: Sequence[PartFigures]) -> Chart:
    middle = [float(scores.predicted[each.part.rows].mean()) for each in ranges]
    bias = [each.figures["bias"] for each in ranges]
    ends = [min(middle), max(middle)]
    return Chart(
        [
            Line(
                "bias",
                middle,
                [each.value for each in bias],
                [each.low for each in bias],
                [each.high for each in bias],
            ),
            Line("none", ends, [0.0, 0.0], style="dotted"),
        ],
        "predicted",
        "predicted minus true, on average",
        "Bias by what the model says, with its interval.",
    )


def _cloud(scores: Scores) -> Chart:
    count = len(scores.truth)
    chosen = np.arange(count)
    if count > MOST_POINTS:
        chosen = np.random.default_rng(0).choice(count, MOST_POINTS, replace=False)
    predicted, truth = scores.predicted[chosen], scores.truth[chosen]
    ends = [float(predicted.min()), float(predicted.max())]
    return Chart(
        [
            Line("rows", predicted.tolist(), truth.tolist(), style="points"),
            Line("right", ends, ends, style="dotted"),
        ],
        "predicted",
        "true",
        f"{len(chosen)} of {count:,} test rows.",
    )

"""Findings as steps would write them of a model, with every kind of block."""

from __future__ import annotations

import math
from pathlib import Path

from raikit.report import Answer, Facts, Part, Report, Rule
from stepkit.figures import Against, Figure, Figures, write_figures
from stepkit.findings import (
    Bars,
    Chart,
    Choice,
    Grid,
    Line,
    Node,
    Picture,
    Section,
    Table,
    Thresholds,
    Tree,
    write_findings,
)

COLUMNS = ["marital_status", "capital_gain", "age", "education", "hours_per_week", "occupation"]
STEPS = [n / 100 for n in range(101)]


def thresholds(positive: str = ">50K") -> Thresholds:
    """Return counts of a score whose positives are Beta(4, 2), its negatives Beta(2, 5)."""
    tp = [3846 * (1 - t**3) for t in STEPS]
    fp = [12435 * (1 - t) ** 3 for t in STEPS]
    return Thresholds(
        STEPS,
        tp,
        fp,
        [3846 - each for each in tp],
        [12435 - each for each in fp],
        positive,
        chosen=0.5,
        cost_fp=1.0,
        cost_fn=3.0,
    )


def roc() -> Chart:
    x = [n / 60 for n in range(61)]
    y = [1 - (1 - each) ** 6 for each in x]
    curve = Line("this model", x, y, [max(0, v - 0.02) for v in y], [min(1, v + 0.02) for v in y])
    champion = Line("champion, version 3", x, [1 - (1 - each) ** 4.5 for each in x])
    guess = Line("guessing", [0, 1], [0, 1], style="dotted")
    return Chart([curve, champion, guess], "false alarms", "recall", "ROC curve")


def evaluation(pictures: Path | None = None) -> Part:
    against = Against("3", 0.9211, 0.0062, 0.0031, 0.0093)
    figures = (
        Figure("auc", "predictive", 0.9273, "more", 16281, 0.9231, 0.9314, against=against),
        Figure("error_rate", "predictive", 0.1267, "less", 16281, 0.1216, 0.1318),
        Figure("ece", "predictive", 0.0121, "less", 16281, 0.0092, 0.0168),
        Figure("brier", "predictive", 0.0871, "less", 16281, 0.0846, 0.0897),
        Figure("auc", "predictive", 0.948, "more", 5421, 0.941, 0.955, cohort="sex=Female"),
        Figure("auc", "predictive", None, "more", 12, cohort="race=Other", note="too few rows"),
    )
    cohorts = Table(
        ["group", "rows", "AUC", "error rate"],
        [["sex=Female", 5421, 0.948, 0.071], ["sex=Male", 10860, 0.9067, 0.1546]]
        + [
            [f"age {low} to {low + 4}", 900 - 7 * low, 0.9 + low / 2000, low / 400]
            for low in range(17, 87, 5)
        ],
        {"AUC": ".3f", "error rate": ".1%", "rows": ",d"},
        "Figures of groups of the test rows",
        "",
    )
    sections = [
        Section(
            "How often is it right?",
            [
                "The model was asked about 16,281 people that it had never seen. It was right for "
                "87 in 100 of them. Always answering `<=50K` would be right for 76.",
                "The curve shows what can be had: more people found, at the price of more false "
                "alarms. It lies above that of the champion everywhere.",
            ],
            [
                roc(),
                cohorts,
                *([Picture("calibration.png", "A calibration curve")] if pictures else []),
            ],
            "good",
        ),
        Section(
            "Where to draw the line",
            ["Which threshold is best hangs on what a false alarm costs, and what a miss."],
            [thresholds()],
        ),
    ]
    return Part("evaluation", "How good are its predictions?", sections, figures, pictures)


def generalisation() -> Part:
    sizes = [500, 1000, 2000, 4000, 8000, 16000, 32000]
    train = [0.999, 0.993, 0.981, 0.968, 0.955, 0.947, 0.941]
    test = [0.881, 0.897, 0.906, 0.914, 0.92, 0.924, 0.927]
    chart = Chart(
        [Line("training rows", sizes, train), Line("rows left out", sizes, test)],
        "rows to learn from",
        "AUC",
        "Learning curve",
        log_x=True,
    )
    figures = (
        Figure("gap_auc", "generalisation", 0.0139, "less", 48842, 0.0098, 0.0181),
        Figure("cv_auc", "generalisation", 0.9262, "more", 32561, 0.9229, 0.9295),
        Figure("rows_in_both", "generalisation", 23.0, "less", 16281),
    )
    words = ["It does a little worse on new people than on those it has learned from: it fits."]
    section = Section("Fits or overfits?", words, [chart], "good")
    return Part("generalisation", "Does it hold for new rows?", [section], figures)


def profile() -> Part:
    figures = (
        Figure("latency_row_p50_ms", "processing", 11.21, "less", 1000, 11.1, 11.4, unit="ms"),
        Figure("throughput_rows_s", "processing", 50213.0, "more", 5, 48000, 52100, unit="rows/s"),
        Figure("peak_memory_mb", "processing", 312.4, "less", 1, unit="MB"),
    )
    bars = Bars(["p50", "p90", "p99"], [11.2, 13.9, 21.7], "milliseconds", caption="One row")
    words = ["A prediction takes some 11 milliseconds: nobody would notice."]
    section = Section("How long does a prediction take?", words, [bars], "good")
    return Part("profile", "How fast is it?", [section], figures)


def _shape(column: str, phase: float) -> Chart:
    x = list(range(17, 91, 2))
    y = [0.24 + 0.2 * math.sin(each / 20 + phase) for each in x]
    line = Line("mean prediction", x, y, [v - 0.03 for v in y], [v + 0.03 for v in y])
    return Chart([line], column, "probability of >50K", f"What {column} does")


def explanation() -> Part:
    values = [0.21, 0.16, 0.11, 0.08, 0.05, 0.03]
    importance = Bars(
        COLUMNS,
        values,
        "loss of AUC when the column is shuffled",
        [v * 0.9 for v in values],
        [v * 1.1 for v in values],
        "Permutation importance",
    )
    shapes = Choice("column", {name: [_shape(name, n)] for n, name in enumerate(COLUMNS)})
    local = {
        f"row {n}": [Bars(COLUMNS, [0.3 - n / 10, -0.2, 0.1, -0.05 * n, 0.02, -0.01], "log odds")]
        for n in range(4)
    }
    category = Chart(
        [
            Line(
                "mean prediction",
                ["Never", "Married", "Divorced", "Widowed"],
                [0.05, 0.44, 0.1, 0.09],
            )
        ],
        "marital status",
        "probability",
    )
    sections = [
        Section("What it looks at", ["Marriage and capital weigh most."], [importance]),
        Section("How each column counts", ["Pick a column to see."], [shapes, category]),
        Section("Why this prediction", ["SHAP divides a prediction."], [Choice("row", local)]),
    ]
    figures = (Figure("explanation_agreement", "interpretation", 0.87, "more", 2000),)
    return Part("explanation", "What does it look at?", sections, figures)


def responsible() -> Part:
    nodes = [
        Node(None, "", 0.127, 16281, "all errors"),
        Node(0, "marital_status = Married", 0.21, 7500, "76% of all errors"),
        Node(0, "marital_status is another", 0.056, 8781, "24% of all errors"),
        Node(1, "capital_gain <= 5000", 0.238, 6600, "75% of all errors"),
        Node(1, "capital_gain > 5000", 0.014, 900, "1% of all errors"),
    ]
    grid = Grid(
        ["Female", "Male"],
        ["17 to 30", "31 to 45", "46 to 90"],
        [[0.02, 0.05], [0.09, 0.19], [0.11, None]],
        [[1800, 3000], [1900, 4100], [1700, 0]],
        "sex",
        "age",
        caption="Error rate",
    )
    groups = Bars(
        ["Female", "Male"],
        [0.088, 0.257],
        "share that is predicted >50K",
        [0.08, 0.25],
        [0.096, 0.265],
    )
    figures = (
        Figure(
            "demographic_parity_difference",
            "fairness",
            0.169,
            "less",
            16281,
            0.158,
            0.18,
            cohort="sex",
        ),
        Figure(
            "equalised_odds_difference", "fairness", 0.083, "less", 16281, 0.05, 0.12, cohort="sex"
        ),
        Figure("worst_cohort_error_ratio", "errors", 1.88, "less", 6600, 1.8, 1.96),
    )
    sections = [
        Section(
            "Where does it fail?",
            ["Errors are most among the married."],
            [Tree(nodes, caption="Error rate"), grid],
            "warning",
        ),
        Section(
            "Does it treat groups alike?",
            ["Men are given a yes three times as often."],
            [groups],
            "bad",
        ),
        Section(
            "What would have to differ?",
            ["Counterfactuals: the least change for another answer."],
            [
                Table(
                    ["row", "change", "from", "to"],
                    [[17, "age", 23, 41], [17, "education", "HS-grad", "Masters"]],
                    {},
                )
            ],
        ),
    ]
    return Part("responsible_ai", "Is it fair, and where does it fail?", sections, figures)


def report(pictures: Path | None = None) -> Report:
    return Report(
        "income-classification",
        [evaluation(pictures), generalisation(), profile(), explanation(), responsible()],
        subtitle="Version 4, champion · classification of income",
        answer=Answer(
            "Should this model be released?",
            "Not decided",
            "warning",
            [
                "One rule is undecided: `equalised_odds_difference` of sex is 0.083, and its "
                "interval from 0.05 to 0.12 lies on both sides of the limit 0.1."
            ],
        ),
        rules=[
            Rule("auc", "at least 0.9", "passed", "good", reason="the whole interval is above"),
            Rule(
                "equalised_odds_difference",
                "at most 0.1",
                "undecided",
                "warning",
                cohort="sex",
                reason="too few rows to tell",
            ),
            Rule("latency_row_p50_ms", "at most 10 ms", "failed", "bad", required=False),
        ],
        facts=[
            Facts(
                "Where it comes from",
                ["What it was made of."],
                [("Model", "a" * 64), ("Job", "lifecycle_1")],
            ),
            Facts(
                "What it runs with", ["Packages."], [("numpy", "2.4.6"), ("scikit-learn", "1.9.1")]
            ),
        ],
    )


def write_part(part: Part, folder: Path, model_digest: str, rows_digest: str = "rows") -> Path:
    """Write a part as its step would, and return its folder."""
    folder.mkdir(parents=True)
    write_findings(folder, part.name, part.sections)
    if part.figures:
        write_figures(folder, Figures(part.name, model_digest, rows_digest, part.figures))
    return folder

"""The words of the trade that a report uses, each in a sentence or two for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable

from raikit.report.words import NOTHING, Term, number
from stepkit.figures import Figure

#: Figures of the steps: what people read, what it means, how it is shown.
FIGURES = {
    "auc": Term(
        "AUC",
        "How often the model gives the higher score to the right one of two cases, one of each "
        "class. 0.5 is guessing, 1 is never wrong.",
        ".3f",
    ),
    "average_precision": Term(
        "Average precision",
        "Precision averaged over all thresholds; for classes that are rare it says more than AUC.",
        ".3f",
    ),
    "accuracy": Term("Accuracy", "The share of cases that are predicted rightly.", ".1%"),
    "balanced_accuracy": Term(
        "Balanced accuracy", "Recall averaged over the classes, so that a rare one counts.", ".1%"
    ),
    "error_rate": Term("Error rate", "The share of cases that are predicted wrongly.", ".1%"),
    "precision": Term(
        "Precision", "Of the cases that the model says yes to, the share that are a yes.", ".1%"
    ),
    "recall": Term("Recall", "Of the cases that are a yes, the share that the model finds.", ".1%"),
    "specificity": Term(
        "Specificity", "Of the cases that are a no, the share that the model says no to.", ".1%"
    ),
    "npv": Term(
        "Negative predictive value",
        "Of the cases that the model says no to, the share that are a no.",
        ".1%",
    ),
    "f1": Term("F1", "One number for precision and recall; high only where both are.", ".3f"),
    "log_loss": Term(
        "Log loss", "How far the probabilities are from what happened; 0 is perfect.", ".4f"
    ),
    "brier": Term(
        "Brier score",
        "The mean squared distance of the probabilities from what happened; 0 is perfect.",
        ".4f",
    ),
    "ece": Term(
        "Calibration error (ECE)",
        "How far the probabilities are from how often it then happens: of cases given 70 %, some "
        "70 in 100 should turn out so.",
        ".1%",
    ),
    "mae": Term("Mean absolute error", "By how much a prediction is off, on average."),
    "mse": Term("Mean squared error", "The mean of the squared errors; large ones weigh more."),
    "rmse": Term(
        "Root mean squared error",
        "A typical size of the error, in the unit of what is predicted; large errors weigh more.",
    ),
    "r2": Term(
        "R²", "The share of the differences between cases that the model explains; 1 is all.", ".3f"
    ),
    "leaking_columns": Term(
        "Leaking columns", "Columns that alone give the answer away, and would not be known in use."
    ),
    "rows_in_both": Term(
        "Rows in both", "Test rows that the model saw in training, so that they test nothing."
    ),
    "latency_row_p50_ms": Term(
        "Time for one row, typical", "Half of all single predictions took no longer than this."
    ),
    "latency_row_p90_ms": Term("Time for one row, slow", "Nine in ten took no longer than this."),
    "latency_row_p99_ms": Term("Time for one row, slowest", "99 in 100 took no longer than this."),
    "latency_batch_p50_ms": Term("Time for a batch, typical", "Half of all batches took no more."),
    "throughput_rows_s": Term("Rows a second", "How many rows are predicted in a second, in bulk."),
    "cold_load_s": Term("Loading time", "From nothing to the first prediction."),
    "peak_memory_mb": Term("Peak memory", "The most memory that the model took."),
    "memory_slope_mb_per_1000": Term(
        "Memory growth",
        "By how much the memory grows over 1,000 predictions; more than 0 is a leak.",
    ),
    "cpu_s_per_1000": Term("Processor time", "Seconds of a processor for 1,000 predictions."),
    "model_size_mb": Term("Size", "Of the model on disk."),
    "saturation_rps": Term(
        "Saturation", "Requests a second that one instance takes before they pile up."
    ),
    "demographic_parity_difference": Term(
        "Demographic parity difference",
        "How far apart the groups are in the share that gets a yes; 0 is equal.",
        ".3f",
    ),
    "demographic_parity_ratio": Term(
        "Demographic parity ratio",
        "The share of yes in the group with the fewest over that with the most; 1 is equal.",
        ".3f",
    ),
    "equalised_odds_difference": Term(
        "Equalised odds difference",
        "How far apart the groups are in recall or in false alarms, whichever is more; 0 is equal.",
        ".3f",
    ),
    "worst_cohort_error_ratio": Term(
        "Errors in the worst group", "The error rate where the model fails most, over that of all."
    ),
    "explanation_agreement": Term(
        "Agreement of explanations",
        "How alike the orders are in which different methods rank the columns; 1 is the same.",
        ".2f",
    ),
    "surrogate_fidelity": Term(
        "Fidelity of the simple tree",
        "How often a tree that a person can read says the same as the model.",
        ".1%",
    ),
}

#: Other words, by a pattern that finds them in a text.
WORDS = {
    r"ALE|accumulated local effects?": Term(
        "ALE", "As partial dependence, but only over values that occur together."
    ),
    r"baseline|base rate": Term(
        "Baseline", "What one would get without a model, by a plain guess."
    ),
    r"bootstrap": Term(
        "Bootstrap",
        "The test rows are drawn again and again, to see by how much a figure would differ on "
        "other rows of the same kind.",
    ),
    r"calibrat\w+": Term(
        "Calibration", "Whether a probability of 70 % comes true 70 times in 100."
    ),
    r"causal\w*": Term(
        "Causal effect",
        "What would change if one thing were changed and all else stayed. From data that were not "
        "made by an experiment it rests on assumptions, which are stated where it is used.",
    ),
    r"champion": Term("Champion", "The model that is in use now, and that a new one must beat."),
    r"challenger": Term("Challenger", "A model that is kept ready, but is not in use."),
    r"cohorts?": Term("Cohort", "A part of the rows, such as all people below 25."),
    r"confusion matrix": Term(
        "Confusion matrix", "A table of how often each class was taken for each."
    ),
    r"counterfactuals?": Term(
        "Counterfactual", "The least that would have to differ for another prediction."
    ),
    r"cross-validat\w+": Term(
        "Cross-validation",
        "Training several times, each time testing on another part that was left out.",
    ),
    r"digests?|SHA-256": Term(
        "Digest", "A fingerprint of a file: as long as it is the same, so is the content."
    ),
    r"drift": Term("Drift", "Data in use becoming unlike the data of the training."),
    r"EBM": Term("EBM", "A model whose every part can be read off a plot."),
    r"false negatives?": Term("False negative", "A yes that the model missed."),
    r"false positives?": Term("False positive", "A false alarm: the model says yes, and it is no."),
    r"ICE": Term("ICE", "As partial dependence, with a line for each single row."),
    r"intervals?|95 ?%": Term(
        "Interval",
        "A figure from a sample is not exact. With 95 % the true one lies within the interval; "
        "a wide one means that there were few rows.",
    ),
    r"leak\w*": Term(
        "Leak", "A column that gives the answer away in the test but not in use; or lost memory."
    ),
    r"overfit\w*": Term(
        "Overfitting", "The model has learned its training rows by heart, and does worse on others."
    ),
    r"underfit\w*": Term("Underfitting", "The model is too plain for what is in the data."),
    r"partial dependence": Term(
        "Partial dependence", "What the model predicts on average when one column is changed."
    ),
    r"permutation importance": Term(
        "Permutation importance", "By how much the model gets worse when a column is shuffled."
    ),
    r"p50|p90|p99|percentiles?": Term("p50, p90, p99", "50, 90, 99 in 100 are no more than this."),
    r"residuals?": Term("Residual", "What is true minus what was predicted."),
    r"ROC": Term("ROC curve", "Recall against false alarms, over all thresholds."),
    r"sensitive": Term(
        "Sensitive column", "A trait by which people must not be treated worse, such as sex."
    ),
    r"SHAP|Shapley": Term(
        "SHAP", "Divides a prediction among the columns: how much each pushed it up or down."
    ),
    r"surrogate": Term(
        "Surrogate tree", "A small tree that imitates the model, so that people can read it."
    ),
    r"test (?:rows|data|set)": Term("Test rows", "Rows that were kept from the training."),
    r"thresholds?": Term("Threshold", "The score from which on the model says yes."),
    r"undecided": Term(
        "Undecided", "The interval lies on both sides of the limit: there are too few rows to tell."
    ),
}
_PREFIXES = {
    "gap_": "{}: worse on test rows than on training rows by",
    "cv_": "{} in cross-validation",
    "train_": "{} on training rows",
    "test_": "{} on test rows",
}
_SUFFIXES = {
    "_weighted": "{}, classes weighted by size",
    "_macro": "{}, averaged over the classes",
    "_difference": "{}, difference between groups",
    "_ratio": "{}, ratio between groups",
}
_UNITS = re.compile(r"_(?:ms|s|mb|rps|rows_s|mb_per_1000|s_per_1000)$")


def label(name: str) -> str:
    """Return what people read for a figure: its known name, or its words."""
    if name in FIGURES:
        return FIGURES[name].name
    for prefix, form in _PREFIXES.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in FIGURES:
            return form.format(FIGURES[name.removeprefix(prefix)].name)
    for suffix, form in _SUFFIXES.items():
        if name.endswith(suffix) and name.removesuffix(suffix) in FIGURES:
            return form.format(FIGURES[name.removesuffix(suffix)].name)
    words = _UNITS.sub("", name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _form(figure: Figure) -> str:
    """Return the format of a figure's numbers; of a difference that of what differs."""
    if figure.unit:
        return ""
    if figure.name in FIGURES:
        return FIGURES[figure.name].format
    for prefix in _PREFIXES:
        if figure.name.startswith(prefix) and figure.name.removeprefix(prefix) in FIGURES:
            return FIGURES[figure.name.removeprefix(prefix)].format
    for suffix in _SUFFIXES:
        if figure.name.endswith(suffix) and figure.name.removesuffix(suffix) in FIGURES:
            return ".3f" if suffix != "_weighted" else ""
    return ""


def shown(figure: Figure) -> str:
    """Return a figure's value with its unit."""
    if figure.value is None:
        return NOTHING
    text = number(figure.value, _form(figure))
    return f"{text} {figure.unit}" if figure.unit else text


def shown_interval(figure: Figure) -> str:
    """Return a figure's interval; an empty text where it has none."""
    if figure.low is None or figure.high is None:
        return ""
    form = _form(figure)
    return f"{number(figure.low, form)} to {number(figure.high, form)}"


def shown_difference(figure: Figure) -> str:
    """Return how a figure differs from the champion's; an empty text where there is none."""
    against = figure.against
    if against is None:
        return ""
    form = _form(figure)
    sign = "+" if against.difference > 0 else ""
    text = f"{sign}{number(against.difference, form)}"
    if against.low is not None and against.high is not None:
        text += f" ({number(against.low, form)} to {number(against.high, form)})"
    return f"{text} against {number(against.value, form)} of version {against.version}"


def terms_in(text: str, figures: Iterable[str]) -> list[Term]:
    """Return the terms that a text uses, and those of figures, in the order of the alphabet."""
    found = {name: FIGURES[name] for name in figures if name in FIGURES}
    found |= {
        pattern: term
        for pattern, term in WORDS.items()
        if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE if not pattern.isupper() else 0)
    }
    return sorted(found.values(), key=lambda term: term.name.casefold())

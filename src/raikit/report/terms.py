"""The words of the trade that a report explains, each in a sentence or two for everybody."""

from __future__ import annotations

from raikit.report.words import Term

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
    "mcc": Term(
        "Matthews correlation",
        "How well prediction and truth go together, also where one class is rare; 1 is perfect, "
        "0 is guessing.",
        ".3f",
    ),
    "kappa": Term(
        "Cohen's kappa", "How much more often it is right than by chance; 1 is always.", ".3f"
    ),
    "norm_macro_recall": Term(
        "Normalised recall", "Recall averaged over the classes; 0 is guessing, 1 is perfect.", ".3f"
    ),
    "ece_by_chance": Term(
        "Calibration error by chance",
        "The calibration error that a perfect model would show on so many rows.",
        ".1%",
    ),
    "cost": Term(
        "Cost of a row",
        "What false alarms and misses cost a row on average, as the model predicts.",
    ),
    "best_cost": Term("Least cost of a row", "The same at the threshold where it is least."),
    "best_threshold": Term(
        "Cheapest threshold", "The threshold at which errors cost least.", ".3f"
    ),
    "latency_row_ratio": Term(
        "Time for one row against the champion",
        "Above 1 it is slower than the champion, below 1 faster.",
    ),
    "latency_batch_ratio": Term(
        "Time for a batch against the champion", "Above 1 it is slower than the champion."
    ),
    "slow_call_share": Term("Slow calls", "The share of predictions that took far longer.", ".2%"),
    "tail_ratio": Term("Tail", "How much longer the slowest predictions take than typical ones."),
    "steady_memory_mb": Term("Steady memory", "What it takes while it predicts, on and on."),
    "first_prediction_ms": Term("First prediction", "The first one takes longer than those after."),
    "served_p50_ms": Term("Answer of the server", "Half of all requests were answered in no more."),
    "js_distance": Term(
        "Distance of the groups' sizes from even ones",
        "0 where all groups have as many training rows, near 1 where one has all (Jensen-Shannon).",
        ".3f",
    ),
    "mitigation_accuracy_change": Term(
        "Price of fairness", "By how much accuracy changes where the groups are made equal."
    ),
    "smallest_group_share": Term(
        "Smallest group", "The share of rows of the smallest group.", ".1%"
    ),
    "worst_cohort_error": Term("Error in the worst group", "The error where the model fails most."),
    "worst_cohort_coverage": Term(
        "Share of the errors in the worst group",
        "The share of all errors that are in that group.",
        ".1%",
    ),
    "method_agreement": Term(
        "Agreement of two methods", "How alike they rank the columns; 1 is the same.", ".2f"
    ),
    "top_columns_overlap": Term(
        "Strongest columns that two methods share",
        "The share of the top columns by SHAP that are also on top when columns are shuffled.",
        ".0%",
    ),
    "counterfactual_found": Term(
        "Cases for which another answer was found",
        "The share of the rows tried of which a small change gave another prediction.",
        ".0%",
    ),
    "counterfactual_changes": Term(
        "Columns to change for another answer",
        "In how many columns the nearest such case differs; the median over the rows tried.",
    ),
    "surrogate_same_class": Term(
        "The simple tree says the same",
        "The share of rows of which it gives the same class.",
        ".1%",
    ),
    "strongest_column_share": Term(
        "Weight of the strongest column", "Its share of all that the columns weigh.", ".1%"
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
    "cpu_s_per_1000": Term(
        "Processor time for 1,000 predictions", "Seconds of a processor, one row at a time."
    ),
    "model_size_mb": Term("Size of the model", "Of its files on disk."),
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
        "Error in the worst group, times that elsewhere",
        "The error where the model fails most, over that of all other rows; 1 is the same.",
        ".2f",
    ),
    "worst_cohort_unexpected_error": Term(
        "Errors in the worst group that the model does not expect",
        "Its error rate less what the model's own probabilities lead to expect there.",
        ".1%",
    ),
    "theil_t_index": Term(
        "Unevenness of the groups' sizes (Theil index)",
        "0 where all combinations of groups have as many training rows; more is less even.",
        ".3f",
    ),
    "explanation_agreement": Term(
        "Agreement of explanations",
        "How alike the orders are in which different methods rank the columns; 1 is the same.",
        ".2f",
    ),
    "surrogate_fidelity": Term(
        "Fidelity of the simple tree (R²)",
        "How much of what the model says a tree that a person can read says, too; 1 is all.",
        ".2f",
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

"""Numbers and names for people."""

from __future__ import annotations

import pytest

from raikit.report.glossary import label, shown, shown_difference, shown_interval, terms_in
from raikit.report.terms import FIGURES
from raikit.report.words import number
from stepkit.figures import Against, Figure


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, ".3f", "\u2013"),
        (True, "", "yes"),
        ("<=50K", ".3f", "<=50K"),
        (0, "", "0"),
        (16281, "", "16,281"),
        (16281.0, ",d", "16,281"),
        (0.92731, ".3f", "0.927"),
        (0.1267, ".1%", "12.7%"),
        (-0.25, ".1%", "\u221225.0%"),
        (11.2149, "", "11.21"),
        (50213.4, "", "50,213"),
        (312.0, "", "312"),
        (0.00012345, "", "0.0001234"),
        (1.5e-7, "", "1.5e-07"),
        (2.5e12, "", "2.5e+12"),
        (float("nan"), "", "\u2013"),
        (0.5, "no format", "0.5"),
        (2.5, ",d", "2.5"),
    ],
)
def test_numbers(value: object, form: str, text: str) -> None:
    assert number(value, form) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("auc", "AUC"),
        ("gap_auc", "AUC: worse on test rows than on training rows by"),
        ("recall_weighted", "Recall, classes weighted by size"),
        ("error_rate_difference", "Error rate, difference between groups"),
        ("start_to_answer_ms", "Start to answer"),
        ("some_new_figure", "Some new figure"),
        ("largest_ece_of_a_group", "Largest ECE of a group"),
    ],
)
def test_names_of_figures(name: str, text: str) -> None:
    assert label(name) == text


def test_a_figure_with_its_interval_and_the_champions() -> None:
    against = Against("3", 0.9211, 0.0062, 0.0031, 0.0093)
    figure = Figure("auc", "predictive", 0.9273, "more", 9, 0.9231, 0.9314, against=against)
    assert (shown(figure), shown_interval(figure)) == ("0.927", "0.923 to 0.931")
    assert shown_difference(figure) == "+0.006 (0.003 to 0.009) against 0.921 of version 3"
    slow = Figure("latency_row_p50_ms", "processing", 11.2149, "less", 9, unit="ms")
    assert (shown(slow), shown_interval(slow), shown_difference(slow)) == ("11.21 ms", "", "")
    missing = Figure("auc", "predictive", None, "more", 2, note="too few rows")
    assert shown(missing) == "\u2013"


def test_only_terms_that_are_used_are_explained() -> None:
    names = [term.name for term in terms_in("The champion's residuals, by SHAP.", {"rmse", "new"})]
    assert names == ["Champion", "Residual", "Root mean squared error", "SHAP"]
    # A word of capitals is not the same in small letters: ice is no ICE.
    assert terms_in("ice and gale", ()) == []


def test_every_term_says_what_it_means_in_a_sentence() -> None:
    assert all(term.meaning.endswith(".") for term in FIGURES.values())

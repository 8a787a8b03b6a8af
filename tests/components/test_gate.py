from __future__ import annotations

import pytest
from gate import Comparison, Threshold, decide, parse_thresholds

from stepkit.program import StepError


def test_thresholds_are_parted_by_spaces_or_commas() -> None:
    expected = (Threshold("auc", ">=", 0.9), Threshold("error_rate", "<", 0.14))
    for text in (
        "auc>=0.9 error_rate<0.14",
        " auc >= .9,error_rate < 14e-2; ",
        "auc>=0.90;error_rate<.14",
    ):
        assert parse_thresholds(text) == expected


@pytest.mark.parametrize("text", ["", "none", " None "])
def test_no_thresholds(text: str) -> None:
    assert parse_thresholds(text) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auc", "cannot read threshold 'auc'"),
        ("auc=0.9", "cannot read threshold"),
        ("auc>=0.9 nonsense", "cannot read threshold 'nonsense'"),
        ("auc>=0.9error_rate<=1", "cannot read threshold"),
        ("auc>=high", "cannot read threshold"),
        ("auc>=1.2.3", "is no number"),
        ("aux>=0.9", "no metric 'aux'"),
    ],
)
def test_thresholds_that_do_not_read(text: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        parse_thresholds(text)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("auc>=0.9", "pass"),
        ("auc>0.9", "fail"),
        ("auc<=0.9", "pass"),
        ("auc<0.9", "fail"),
        ("f1>=0.1", "fail"),
        ("r2>=0.9", "not applied"),
        ("recall_weighted>=0.5", "pass"),
    ],
)
def test_a_threshold_is_judged(text: str, verdict: str) -> None:
    (threshold,) = parse_thresholds(text)
    metrics = {"auc": 0.9, "recall_weighted": 0.5}
    assert threshold.judge("classification", metrics) == verdict


def comparison(
    candidate: float, incumbent: float, metric: str = "auc", min_gain: float = 0.0
) -> Comparison:
    return Comparison("champion", "3", metric, candidate, incumbent, min_gain)


def test_better_is_more_or_less_by_metric() -> None:
    assert comparison(0.92, 0.91).beaten
    assert not comparison(0.91, 0.92).beaten
    assert comparison(10, 12, "rmse").beaten
    assert not comparison(12, 10, "rmse").beaten
    assert comparison(0.92, 0.91, "recall_weighted").beaten


def test_a_gain_must_be_more_than_the_least_gain() -> None:
    assert not comparison(0.75, 0.5, min_gain=0.25).beaten
    assert comparison(0.75, 0.5, min_gain=0.24).beaten
    assert "does not beat the champion, version 3, with 0.5000, by more than 0.25" in str(
        comparison(0.75, 0.5, min_gain=0.25)
    )


def test_the_first_model_becomes_champion() -> None:
    assert decide((), None, None).alias == "champion"


def test_a_better_model_becomes_champion() -> None:
    decision = decide((), comparison(0.92, 0.91), None)
    assert decision.alias == "champion"
    assert "beats the champion, version 3" in decision.reasons[0]


def test_a_tie_keeps_the_champion_and_registers_nothing() -> None:
    decision = decide((), comparison(0.91, 0.91), None)
    assert decision.alias is None
    assert "ties with the champion" in decision.reasons[0]


def test_one_that_does_not_beat_the_champion_becomes_challenger() -> None:
    assert decide((), comparison(0.90, 0.91), None).alias == "challenger"
    assert decide((), comparison(0.90, 0.91), comparison(0.90, 0.89)).alias == "challenger"
    kept = decide((), comparison(0.90, 0.91), comparison(0.90, 0.90))
    assert (kept.alias, len(kept.reasons)) == (None, 2)


def test_a_failed_threshold_is_final() -> None:
    assert decide(("auc is 0.7",), comparison(0.92, 0.91), None).alias is None

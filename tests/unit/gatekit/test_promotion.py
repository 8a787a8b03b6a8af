from __future__ import annotations

import pytest

from gatekit.promotion import Comparison, decide


def comparison(
    candidate: float, incumbent: float, *, more: bool = True, min_gain: float = 0.0
) -> Comparison:
    return Comparison("champion", "3", "auc", candidate, incumbent, more, min_gain)


def test_better_is_more_or_less_by_figure() -> None:
    assert comparison(0.92, 0.91).is_beaten
    assert not comparison(0.91, 0.92).is_beaten
    assert comparison(10, 12, more=False).is_beaten
    assert not comparison(12, 10, more=False).is_beaten


def test_a_gain_must_be_more_than_the_least_gain() -> None:
    assert not comparison(0.75, 0.5, min_gain=0.25).is_beaten
    assert comparison(0.75, 0.5, min_gain=0.24).is_beaten
    assert "does not beat the champion, version 3, with 0.5000, by more than 0.25" in str(
        comparison(0.75, 0.5, min_gain=0.25)
    )


def test_the_first_model_becomes_champion() -> None:
    assert decide((), None, None).outcome == "champion"


def test_a_better_model_becomes_champion() -> None:
    decision = decide((), comparison(0.92, 0.91), None)
    assert decision.outcome == "champion"
    assert "beats the champion, version 3" in decision.reasons[0]


def test_a_tie_keeps_the_champion_and_registers_nothing() -> None:
    decision = decide((), comparison(0.91, 0.91), None)
    assert decision.outcome == "refused"
    assert "ties with the champion" in decision.reasons[0]


def test_the_champion_itself_is_not_registered_again() -> None:
    decision = decide((), None, None, present="4")
    assert decision.outcome == "refused"
    assert decision.reasons == ("it is the champion already, version 4",)


def test_one_that_does_not_beat_the_champion_becomes_challenger() -> None:
    assert decide((), comparison(0.90, 0.91), None).outcome == "challenger"
    assert decide((), comparison(0.90, 0.91), comparison(0.90, 0.89)).outcome == "challenger"
    kept = decide((), comparison(0.90, 0.91), comparison(0.90, 0.90))
    assert (kept.outcome, len(kept.reasons)) == ("refused", 2)


@pytest.mark.parametrize("present", ["", "4"])
def test_a_refusal_is_final(present: str) -> None:
    decision = decide(("auc is 0.7",), comparison(0.92, 0.91), None, present=present)
    assert (decision.outcome, decision.reasons) == ("refused", ("auc is 0.7",))

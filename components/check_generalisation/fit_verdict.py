"""Whether a model is fitted as much as it should be: the rule, on figures that are there already.

The rule is T. Mitchell's definition ("Machine Learning", McGraw-Hill 1997, section 3.7) with
intervals: a hypothesis overfits where another has a worse score on the train rows and a better one
on all rows. So of every alternative that is better on new rows, its train score tells which way the
model is off: worse there, and the model overfits; better there too, and the model underfits. A gap
between train and test alone is no overfitting, since flexible models that are right have one.

All differences are turned so that above 0 is better, and in the metric's unit. What there is to be
learned (`room`) is the best score known less that of guessing; a difference counts where its
interval is above 0 and it is itself more than `tolerance` of the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stepkit.resampling import Gain

Verdict = Literal["underfits", "fits", "overfits", "undecided"]

#: Where an interval reaches this many times the tolerance, a great loss cannot be ruled out.
WIDE = 5.0
#: Of what is gained on the train rows; where more is lost on test rows, and the rest may be chance,
#: the model has learned the rows by heart.
BY_HEART = 0.5


@dataclass(frozen=True)
class Alternative:
    """What the model was compared with.

    Attributes:
        name: Such as `max_depth = 6`.
        gain: How much better it is than the model on rows that neither was fitted on.
        train_gain: How much better on the rows that both were fitted on.
        is_confirmed: Whether it was compared on as many rows as there are. On fewer rows simpler
            models are the better ones, so what they say is but a hint.
    """

    name: str
    gain: Gain
    train_gain: float
    is_confirmed: bool = True


@dataclass(frozen=True)
class Evidence:
    """What is known of a model's fit.

    Attributes:
        gap: Train less test score.
        over_guess: The model's test score less that of guessing.
        train_over_guess: The same on the train rows.
        reference: A flexible model of another kind, on the test rows.
        reference_over_guess: Its test score less that of guessing.
        setting: The best other setting of the model itself; None where none could be tried.
        slope: Gain in held-out score where the rows are doubled; None where it is not known.
        tolerance: The smallest share of the room that counts.
    """

    gap: Gain
    over_guess: Gain
    train_over_guess: float
    reference: Alternative
    reference_over_guess: Gain
    setting: Alternative | None = None
    slope: Gain | None = None
    tolerance: float = 0.02

    @property
    def room(self) -> float:
        """What there is to be learned: the best score known less that of guessing."""
        known = [self.over_guess.mean, self.reference_over_guess.mean]
        if self.setting is not None and self.setting.is_confirmed:
            known.append(self.over_guess.mean + self.setting.gain.mean)
        return max(0.0, *known)

    def is_better(self, other: Alternative) -> bool:
        """Return whether an alternative is surely better, and by more than the tolerance."""
        margin = self.tolerance * self.room
        return other.is_confirmed and other.gain.low > 0 and other.gain.mean > margin

    def counted(self) -> list[Alternative]:
        """Return the alternatives that say something of the fit.

        A reference that is the less flexible one (its train score is lower) says how good another
        kind of model is. It says something of the fit only where no other setting could be tried.
        """
        found = [] if self.setting is None else [self.setting]
        if self.setting is None or self.reference.train_gain > 0:
            found.append(self.reference)
        return found


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Attributes:
        verdict: In a word.
        reason: Why, in a sentence without its full stop.
        advice: What to do next; empty where nothing is to be done.
    """

    verdict: Verdict
    reason: str
    advice: str = ""


def judge(evidence: Evidence) -> Judgement:
    """Judge a model's fit; the rules are tried in this order, and the first that holds counts.

    1. Neither the model nor the reference is surely better than guessing: `overfits` where more
       than half of what it gains on the train rows is surely lost, or guessing is surely better;
       else `undecided`, since nothing that could be learned was found.
    2. An alternative is better: `underfits` where it is better on the train rows as well;
       `overfits` where it is worse there and the gap is surely above 0.
    3. An interval is too wide to rule out a loss of `WIDE` tolerances, or an alternative is better
       but not confirmed: `undecided`.
    4. Otherwise `fits`.
    """
    if evidence.over_guess.low <= 0 and evidence.reference_over_guess.low <= 0:
        return _no_better_than_guessing(evidence)
    better = [each for each in evidence.counted() if evidence.is_better(each)]
    for each in sorted(better, key=lambda one: -one.gain.mean):
        if each.train_gain > 0:
            return Judgement(
                "underfits",
                f"{each.name} is better on train rows and on new rows alike",
                _advice_where_it_underfits(evidence),
            )
        if evidence.gap.low > 0:
            return Judgement(
                "overfits",
                f"{each.name} is worse on the train rows and better on new ones",
                _advice_where_it_overfits(evidence),
            )
    return _without_a_better_one(evidence, bool(better))


def _no_better_than_guessing(evidence: Evidence) -> Judgement:
    is_worse = evidence.over_guess.high < 0
    by_heart = evidence.gap.low > BY_HEART * evidence.train_over_guess > 0
    if is_worse or by_heart:
        return Judgement(
            "overfits",
            "what it learned from the train rows does not hold for new ones, where it is no better "
            "than guessing",
            _advice_where_it_overfits(evidence),
        )
    return Judgement(
        "undecided",
        "neither it nor a flexible model of another kind is surely better than guessing",
        "give features that say more of the target, or more rows",
    )


def _without_a_better_one(evidence: Evidence, found_without_gap: bool) -> Judgement:
    margin = evidence.tolerance * evidence.room
    if found_without_gap:
        return Judgement(
            "undecided", "another setting is better, but no gap between train and test is sure"
        )
    for each in evidence.counted():
        if not each.is_confirmed and each.gain.mean > margin:
            return Judgement(
                "undecided",
                f"{each.name} may be better, but was compared on few rows only",
                "give more seconds, or more rows",
            )
        if each.gain.high > WIDE * margin:
            return Judgement(
                "undecided",
                f"{each.name} may be better by up to {each.gain.high / evidence.room:.0%} of what "
                "there is to be learned: too few rows to tell",
                "give more rows",
            )
    return Judgement(
        "fits", "no alternative is better beyond doubt", _advice_where_it_fits(evidence)
    )


def _is_rising(evidence: Evidence) -> bool:
    return evidence.slope is not None and evidence.slope.low > 0


def _advice_where_it_overfits(evidence: Evidence) -> str:
    more = ", or give more rows: it still gains by them" if _is_rising(evidence) else ""
    return f"make it simpler or regularise it more{more}"


def _advice_where_it_underfits(evidence: Evidence) -> str:
    if evidence.slope is None:
        return "take a more flexible model, or better features"
    if _is_rising(evidence):
        return "take a more flexible model or better features; more rows help as well"
    return "take a more flexible model, or better features; more rows would not help"


def _advice_where_it_fits(evidence: Evidence) -> str:
    margin = evidence.tolerance * evidence.room
    if _is_rising(evidence) and evidence.slope is not None and evidence.slope.mean > margin:
        return "more rows would still make it better"
    return ""

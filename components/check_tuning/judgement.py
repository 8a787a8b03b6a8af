"""What the comparison of a sweep's winner with its neighbours and the defaults says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neighbours import Number

from stepkit.resampling import Gain

DEFAULTS = "defaults"
WINNER = "winner"


@dataclass(frozen=True)
class Setting:
    """Hyperparameters that are cross-validated.

    Attributes:
        name: `winner`, `defaults`, or the step: `max_iter up`.
        hyperparameters: Their values; those not named are the estimator's own.
    """

    name: str
    hyperparameters: Mapping[str, Number]


@dataclass(frozen=True)
class Compared:
    """A setting that the winner was compared with.

    Attributes:
        setting: The setting.
        score: Its mean metric over the folds.
        gain: How much better the winner is.
    """

    setting: Setting
    score: float
    gain: Gain


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Attributes:
        verdict: `above_noise`, `within_noise`, `at_edge`, `neighbour_is_better`, or
            `defaults_are_better`.
        sentence: The same for people.
    """

    verdict: str
    sentence: str


def judge(compared: Sequence[Compared], edges: Mapping[str, str], metric: str) -> Judgement:
    """Judge a sweep's winner; what is most in need of action comes first.

    Args:
        compared: The defaults, then the neighbours.
        edges: The parameters that are at an edge of the search, and which: `low` or `high`.
        metric: What they were compared by.
    """
    defaults, neighbours = compared[0], compared[1:]
    said = (
        f"{metric} {defaults.gain.mean:+.4g}, {defaults.gain.low:+.4g} to {defaults.gain.high:+.4g}"
    )
    if defaults.gain.high < 0:
        return Judgement(
            "defaults_are_better", f"the defaults are better than what the sweep found ({said})"
        )
    better = min(neighbours, key=lambda each: each.gain.high, default=None)
    if better is not None and better.gain.high < 0:
        return Judgement(
            "neighbour_is_better",
            f"{better.setting.name} is better than the winner: search more around it",
        )
    if defaults.gain.low <= 0:
        return Judgement("within_noise", f"the gain over the defaults is within the noise ({said})")
    if edges:
        places = ", ".join(f"{name} ({side})" for name, side in edges.items())
        return Judgement(
            "at_edge",
            f"better than the defaults ({said}), but at the edge of the search: widen {places}",
        )
    return Judgement(
        "above_noise",
        f"better than the defaults beyond the noise ({said}), and no neighbour is better",
    )

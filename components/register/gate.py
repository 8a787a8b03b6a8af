"""The gate: thresholds on metrics, and the comparison with the present champion."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stepkit.metrics import MORE_IS_BETTER, more_is_better, task_of
from stepkit.program import StepError

OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_THRESHOLD = re.compile(
    r"(?P<metric>\w+)\s*(?P<sign>>=|<=|>|<)\s*(?P<limit>[-+.\deE]+)(?:[\s,;]+|$)"
)

Verdict = Literal["pass", "fail", "not applied"]


@dataclass(frozen=True)
class Threshold:
    """What a metric must be: `auc >= 0.9`."""

    metric: str
    sign: str
    limit: float

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.limit:g}"

    def judge(self, task: str, metrics: Mapping[str, float]) -> Verdict:
        """Compare; a threshold of the other task is not applied, one without a value fails."""
        if task_of(self.metric) != task:
            return "not applied"
        value = metrics.get(self.metric)
        if value is None:
            return "fail"
        return "pass" if OPERATORS[self.sign](value, self.limit) else "fail"


def parse_thresholds(text: str) -> tuple[Threshold, ...]:
    """Parse thresholds: `auc>=0.9 error_rate<=0.14`, parted by spaces or commas; `none` for none.

    Raises:
        StepError: It does not read so, or names no metric that `evaluate` makes.
    """
    rest = text.strip()
    if rest.lower() == "none":
        return ()
    found = []
    while rest:
        match = _THRESHOLD.match(rest)
        if match is None:
            raise StepError(f"cannot read threshold {rest!r}", hint="write it as: auc>=0.9 r2>=0.2")
        metric = match["metric"]
        if task_of(metric) is None:
            raise StepError(
                f"no metric {metric!r} for a threshold", hint=f"known: {', '.join(MORE_IS_BETTER)}"
            )
        try:
            limit = float(match["limit"])
        except ValueError:
            raise StepError(f"{match['limit']!r}, a threshold of {metric}, is no number") from None
        found.append(Threshold(metric, match["sign"], limit))
        rest = rest[match.end() :]
    return tuple(found)


@dataclass(frozen=True)
class Comparison:
    """A candidate against the model that holds an alias, on the same test data.

    Attributes:
        alias: What the other model holds: `champion` or `challenger`.
        version: The other model's version.
        metric: What they are compared by.
        candidate: The candidate's value.
        incumbent: The other model's value.
        min_gain: By how much the candidate must be better.
    """

    alias: str
    version: str
    metric: str
    candidate: float
    incumbent: float
    min_gain: float

    @property
    def gain(self) -> float:
        """By how much the candidate is better; below 0 where it is worse."""
        difference = self.candidate - self.incumbent
        return difference if more_is_better(self.metric) else -difference

    @property
    def beaten(self) -> bool:
        """Whether the candidate is better by more than `min_gain`; a tie is not."""
        return self.gain > self.min_gain

    def __str__(self) -> str:
        outcome = "beats" if self.beaten else "ties with" if self.gain == 0 else "does not beat"
        gain = f", by more than {self.min_gain:g}" if self.min_gain else ""
        return (
            f"{self.metric} {self.candidate:.4f} {outcome} the {self.alias}, "
            f"version {self.version}, with {self.incumbent:.4f}{gain}"
        )


@dataclass(frozen=True)
class Decision:
    """What becomes of a candidate: the alias that it gets, or None, and why."""

    alias: Literal["champion", "challenger"] | None
    reasons: tuple[str, ...]


def decide(
    failed: tuple[str, ...], champion: Comparison | None, challenger: Comparison | None
) -> Decision:
    """Decide what becomes of a candidate.

    It must pass every threshold. Where there is no champion, or it beats the champion, it becomes
    champion. Where it does not, it becomes challenger, unless a present challenger is as good;
    one that ties with the champion adds nothing and is not registered.

    Args:
        failed: The thresholds that it does not pass, as text.
        champion: The comparison with the champion; None where there is none.
        challenger: The comparison with the challenger; None where there is none.
    """
    if failed:
        return Decision(None, failed)
    if champion is None:
        return Decision("champion", ("passes the thresholds; there is no champion yet",))
    if champion.beaten:
        return Decision("champion", (str(champion),))
    if champion.gain == 0:
        return Decision(None, (str(champion),))
    if challenger is not None and not challenger.beaten:
        return Decision(None, (str(champion), str(challenger)))
    return Decision("challenger", (str(champion),))

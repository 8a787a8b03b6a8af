"""What becomes of a model that its policy has judged: champion, challenger, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["champion", "challenger", "refused"]
Alias = Literal["champion", "challenger"]


@dataclass(frozen=True)
class Comparison:
    """A candidate against the model that holds an alias, on the same test rows.

    Attributes:
        alias: What the other model holds.
        version: The other model's version.
        figure: The name of the figure that they are compared by.
        candidate: The candidate's value.
        incumbent: The other model's value.
        more_is_better: Whether a greater value is the better one.
        min_gain: By how much the candidate must be better.
    """

    alias: Alias
    version: str
    figure: str
    candidate: float
    incumbent: float
    more_is_better: bool
    min_gain: float = 0.0

    @property
    def gain(self) -> float:
        """By how much the candidate is better; below 0 where it is worse."""
        difference = self.candidate - self.incumbent
        return difference if self.more_is_better else -difference

    @property
    def is_beaten(self) -> bool:
        """Whether the candidate is better by more than `min_gain`; a tie is not."""
        return self.gain > self.min_gain

    def __str__(self) -> str:
        outcome = "beats" if self.is_beaten else "ties with" if self.gain == 0 else "does not beat"
        gain = f", by more than {self.min_gain:g}" if self.min_gain else ""
        return (
            f"{self.figure} {self.candidate:.4f} {outcome} the {self.alias}, "
            f"version {self.version}, with {self.incumbent:.4f}{gain}"
        )


@dataclass(frozen=True)
class Decision:
    """What becomes of a candidate, and why."""

    outcome: Outcome
    reasons: tuple[str, ...]


def decide(
    refusals: Sequence[str],
    champion: Comparison | None,
    challenger: Comparison | None,
    *,
    present: str = "",
) -> Decision:
    """Decide what becomes of a candidate.

    No required rule may refuse it. Where there is no champion, or it beats the champion, it becomes
    champion. Where it does not, it becomes challenger, unless a present challenger is as good;
    one that ties with the champion, or is the champion, adds nothing and is not registered again.

    Args:
        refusals: What it is refused for, as sentences.
        champion: The comparison with the champion; None where there is none.
        challenger: The comparison with the challenger; None where there is none.
        present: The champion's version, where it is the candidate itself; else empty.
    """
    if refusals:
        return Decision("refused", tuple(refusals))
    if present:
        return Decision("refused", (f"it is the champion already, version {present}",))
    if champion is None:
        return Decision("champion", ("passes the policy; there is no champion yet",))
    if champion.is_beaten:
        return Decision("champion", (str(champion),))
    if champion.gain == 0:
        return Decision("refused", (str(champion),))
    if challenger is not None and not challenger.is_beaten:
        return Decision("refused", (str(champion), str(challenger)))
    return Decision("challenger", (str(champion),))

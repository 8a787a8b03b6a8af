"""Which deployment answers a request, and which ones get a copy."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Collection, Mapping


class Split:
    """Shares requests out by percent.

    The rule: each request draws one number from the generator, uniform in [0, sum of the percents),
    and falls to the deployment whose part of that line it hits; the parts lie in the order of the
    deployments' names. Draws are independent, so a share holds in every stretch of requests up to
    chance, whatever pattern they arrive in, and nothing is counted.
    """

    def __init__(self, percents: Mapping[str, int], known: Collection[str]) -> None:
        names = sorted(name for name, percent in percents.items() if percent > 0 and name in known)
        self._names = names
        self._bounds = list(itertools.accumulate(percents[name] for name in names))
        self._total = self._bounds[-1] if names else 0

    def choose(self, generator: random.Random) -> str | None:
        """Return the deployment that answers, or None where no deployment has traffic."""
        if not self._names:
            return None
        if len(self._names) == 1:
            return self._names[0]
        # random() * total may round up to the total itself.
        place = bisect.bisect_right(self._bounds, generator.random() * self._total)
        return self._names[min(place, len(self._names) - 1)]


class Mirrors:
    """Says who gets a copy of a request: each deployment by a draw of its own."""

    def __init__(self, percents: Mapping[str, int], known: Collection[str]) -> None:
        self._shares = tuple(
            (name, percent / 100)
            for name, percent in sorted(percents.items())
            if percent > 0 and name in known
        )

    def choose(self, generator: random.Random, answering: str) -> tuple[str, ...]:
        """Return the deployments that get a copy; never the one that answers."""
        if not self._shares:
            return ()
        # One draw for each, whoever answers, so that a share does not hang on the others.
        drawn = [name for name, share in self._shares if generator.random() < share]
        return tuple(name for name in drawn if name != answering)

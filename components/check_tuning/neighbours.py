"""One step up and down from a value, in the distribution that it was searched in.

A step of `choice` is the next of its values by size; of `uniform` and `quniform` a tenth of the
range, of `loguniform` and `qloguniform` a tenth of the range of the logarithm, of `randint` a tenth
of its values; of the normal ones, which have no bounds, a quarter of sigma, a tenth of the mass in
the middle. With `q` it is at least one multiple. Nearer to a bound than half a step is the edge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from stepkit.program import StepError

Number = float | int

STEPS_OF_A_RANGE = 10
STEPS_OF_SIGMA = 4
BOUNDED = ("uniform", "quniform", "loguniform", "qloguniform")
NORMAL = ("normal", "qnormal", "lognormal", "qlognormal")
#: The fields that a distribution must have.
FIELDS = {
    "choice": ("values",),
    "randint": ("upper",),
    **dict.fromkeys(BOUNDED, ("min_value", "max_value")),
    **dict.fromkeys(NORMAL, ("mu", "sigma")),
}


@dataclass(frozen=True)
class Neighbours:
    """The values next to one.

    Attributes:
        down: The next lower value, or None at the lower edge.
        up: The next higher value, or None at the upper edge.
    """

    down: Number | None
    up: Number | None

    @property
    def edge(self) -> str:
        """`low` or `high` where the value is at an edge of the search, else empty."""
        if self.down is None and self.up is not None:
            return "low"
        return "high" if self.up is None and self.down is not None else ""


def parse_space(text: str) -> dict[str, dict[str, Any]]:
    """Parse a search space as the sweep's file writes it.

    Raises:
        StepError: It does not read so, or a distribution is unknown or lacks a field.
    """
    try:
        space = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StepError(f"cannot read the search space: {error}") from error
    if not isinstance(space, dict) or not space:
        raise StepError(
            f"the search space {text!r} names no parameter",
            hint="write it as: {max_iter: {type: choice, values: [50, 100]}}",
        )
    for name, distribution in space.items():
        kind = distribution.get("type") if isinstance(distribution, dict) else None
        if kind not in FIELDS:
            raise StepError(
                f"{name} has no known distribution: {distribution!r}",
                hint=f"known types: {', '.join(FIELDS)}",
            )
        lacking = [field for field in FIELDS[kind] if field not in distribution]
        if lacking:
            raise StepError(f"{kind} of {name} lacks {', '.join(lacking)}")
    return dict(space)


def neighbours_of(distribution: Mapping[str, Any], value: Number) -> Neighbours:
    """Return the values one step below and above one.

    Args:
        distribution: As the sweep's file writes it; its numbers may be text, as 1e-3 is in YAML.
        value: The value.
    """
    kind = distribution["type"]
    if kind == "choice":
        values = sorted(distribution["values"])
        lower = [each for each in values if each < value]
        higher = [each for each in values if each > value]
        return Neighbours(lower[-1] if lower else None, higher[0] if higher else None)
    if kind == "randint":
        count = int(distribution["upper"])
        step = max(1, count // STEPS_OF_A_RANGE)
        down, up = max(0, int(value) - step), min(count - 1, int(value) + step)
        return Neighbours(down if down < value else None, up if up > value else None)
    return _continuous(distribution, float(value))


def _continuous(distribution: Mapping[str, Any], value: float) -> Neighbours:
    kind = distribution["type"]
    is_log = "log" in kind
    place = math.log(value) if is_log else value
    if kind in NORMAL:
        low, high = -math.inf, math.inf
        step = float(distribution["sigma"]) / STEPS_OF_SIGMA
    else:
        low, high = float(distribution["min_value"]), float(distribution["max_value"])
        step = (high - low) / STEPS_OF_A_RANGE
    q = float(distribution.get("q", 0))
    if q and not is_log:
        step = max(step, q)

    def at(wanted: float, bound: float) -> Number | None:
        if abs(bound - place) < step / 2:
            return None
        inside = min(max(wanted, low), high)
        found = math.exp(inside) if is_log else inside
        return _multiple(found, value, q) if q else found

    return Neighbours(at(place - step, low), at(place + step, high))


def _multiple(found: float, value: float, q: float) -> Number:
    """Return the multiple of `q` nearest to what was found, and at least one from the value."""
    multiple = round(found / q)
    here = round(value / q)
    if multiple == here:
        multiple += 1 if found > value else -1
    return int(multiple * q) if q.is_integer() else round(multiple * q, 12)

"""What traffic rules may say: by themselves, and of the deployments that an endpoint has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from amlocal.errors import near_miss

#: Percent of the requests that a deployment may get copies of.
MOST_MIRRORED = 50


class TrafficProblem(NamedTuple):
    """One thing wrong with traffic rules.

    Attributes:
        field: `traffic` or `mirror_traffic`, and the deployment, where it is one's.
        message: What is wrong.
        hint: What to do about it.
    """

    field: tuple[str, ...]
    message: str
    hint: str


def traffic_problems(
    traffic: Mapping[str, int] | None, mirror: Mapping[str, int] | None
) -> Iterator[TrafficProblem]:
    """Yield what is wrong with traffic rules by themselves, whatever the endpoint has.

    Rules of managed online endpoints: the percentages sum to 0 or 100; one deployment that takes
    no live traffic may get copies of up to 50 percent.

    Args:
        traffic: Percent of the requests by deployment; None says nothing of it.
        mirror: Percent of the requests by the deployment that gets copies; None says nothing.
    """
    for name, percent in (traffic or {}).items():
        if not 0 <= percent <= 100:
            message = f"{percent} percent of the traffic is out of range"
            yield TrafficProblem(("traffic", name), message, "give 0 to 100")
    total = sum((traffic or {}).values())
    if total not in {0, 100}:
        hint = "make the percentages sum to 100, or to 0 to take no requests"
        yield TrafficProblem(("traffic",), f"the traffic sums to {total} percent", hint)
    mirrored = {name: percent for name, percent in (mirror or {}).items() if percent}
    if len(mirrored) > 1:
        names = " and ".join(map(repr, mirrored))
        message = f"traffic cannot be mirrored to {names} at once"
        yield TrafficProblem(("mirror_traffic",), message, "keep one")
    for name, percent in mirrored.items():
        if not 0 <= percent <= MOST_MIRRORED:
            message = f"{percent} percent of the traffic cannot be mirrored"
            hint = f"give 0 to {MOST_MIRRORED}"
            yield TrafficProblem(("mirror_traffic", name), message, hint)
        if (traffic or {}).get(name):
            yield _mirrored_and_live(name)


def routing_problems(
    traffic: Mapping[str, int] | None,
    mirror: Mapping[str, int] | None,
    *,
    current: Mapping[str, int] | None,
    ready: Collection[str],
) -> Iterator[TrafficProblem]:
    """Yield what is wrong with traffic rules for an endpoint as it is.

    Args:
        traffic: Percent of the requests by deployment; None leaves what there is.
        mirror: Percent of the requests by the deployment that gets copies; None leaves it.
        current: The endpoint's traffic; None of an endpoint that is being created.
        ready: Names of its deployments that can take requests.
    """
    if current is None:
        for field, rules in (("traffic", traffic), ("mirror_traffic", mirror)):
            if any((rules or {}).values()):
                message = f"{field} cannot be given when the endpoint is created"
                hint = "create its deployments first, then update its traffic"
                yield TrafficProblem((field,), message, hint)
        return
    for field, rules in (("traffic", traffic), ("mirror_traffic", mirror)):
        for name, percent in (rules or {}).items():
            if percent and name not in ready:
                message = f"no deployment named {name!r} is ready to take requests"
                hint = near_miss(name, ready) or "create a deployment first"
                yield TrafficProblem((field, name), message, hint)
    if traffic is None:
        for name, percent in (mirror or {}).items():
            if percent and current.get(name):
                yield _mirrored_and_live(name)


def _mirrored_and_live(name: str) -> TrafficProblem:
    message = f"{name!r} takes live traffic, and so no mirrored traffic"
    hint = "mirror to a deployment whose traffic is 0"
    return TrafficProblem(("mirror_traffic", name), message, hint)

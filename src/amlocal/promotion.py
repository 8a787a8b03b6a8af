"""Which version of a model holds an alias: moved forward, or back from a bad release.

MLflow marks a version with an alias. Azure ML's registry documents none, so where a registry has no
such call, a tag `alias.champion: "true"` of the version stands in, as the step `register` does it.
"""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from amlocal.errors import AmlocalError, not_found

#: What the gate's runs are tagged with, and with what where it refused.
GATE_TAG, REFUSED = "gate", "refused"
#: The parameter in which a step says what came of it.
CONCLUSION = "conclusion"
CHAMPION = "champion"
_TAG = "promoted"


class RefusedError(AmlocalError):
    """The gate has refused what is to be released."""

    exit_code = 1


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a model in a registry.

    Attributes:
        version: Its number.
        run_id: The run that it comes from, or an empty string.
        aliases: The aliases that it holds.
        tags: Its tags.
    """

    version: str
    run_id: str = ""
    aliases: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def holds(self, alias: str) -> bool:
        """Tell whether it holds an alias, or the tag that stands in for it."""
        return alias in self.aliases or self.tags.get(alias_tag(alias)) == "true"


@dataclass(frozen=True)
class Promotion:
    """What a promotion did.

    Attributes:
        name: The model.
        version: The version that holds the alias now.
        alias: The alias.
        previous: The version that held it before, or an empty string.
        forced: What the gate had refused the version for, where that was overruled.
    """

    name: str
    version: str
    alias: str
    previous: str = ""
    forced: str = ""


class PromotionRegistry(Protocol):
    """What promoting needs of a registry."""

    def versions(self, name: str) -> Sequence[RegisteredVersion]:
        """Return a model's versions; none where there is no such model."""

    def names(self) -> Sequence[str]:
        """Return the names of the models."""

    def refusal(self, version: RegisteredVersion) -> str:
        """Return what the gate refused a version for in the job that made it; empty if not."""

    def tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""

    def give(self, name: str, alias: str, version: str) -> None:
        """Let a version hold an alias, and no other version."""


def alias_tag(alias: str) -> str:
    """Return the tag that stands in for an alias."""
    return f"alias.{alias}"


def holder(versions: Sequence[RegisteredVersion], alias: str) -> str:
    """Return the version that holds an alias, or an empty string.

    Where tags stand in for aliases, and a change was killed in between, two may: the later one.
    """
    held = [each.version for each in versions if each.holds(alias)]
    return max(held, key=_order, default="")


def _order(version: str) -> tuple[int, str]:
    """Return what versions are sorted by; Azure takes others than numbers, too."""
    return (int(version) if version.isdecimal() else -1, version)


def promote(
    registry: PromotionRegistry,
    name: str,
    version: str,
    *,
    alias: str = CHAMPION,
    force: bool = False,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
) -> Promotion:
    """Let a version of a model hold an alias; who held it before is kept in the version's tags.

    The tags are `promoted.ALIAS.from`, `.at`, `.by`, and `.forced` where the gate was overruled.
    They are written first: killed in between, the alias is where it was, and the same again works.

    Args:
        registry: The registry.
        name: The model.
        version: The version.
        alias: What it is to hold.
        force: Whether it may be one that the gate refused.
        now: The clock.

    Raises:
        NotFoundError: There is no such model or version.
        RefusedError: The gate has refused the version, and `force` is false.
    """
    known = registry.versions(name)
    if not known:
        raise not_found("model", name, registry.names())
    chosen = next((each for each in known if each.version == version), None)
    if chosen is None:
        raise not_found(f"version of model {name!r}", version, [each.version for each in known])
    previous = holder(known, alias)
    refusal = registry.refusal(chosen)
    if refusal and not force:
        raise RefusedError(
            f"the gate refused {name}:{version}: {refusal}",
            hint="promote another version, or overrule the gate with --force",
        )
    if previous != version:
        facts = {
            "from": previous,
            "at": now().isoformat(timespec="seconds"),
            "by": _user(),
            "forced": refusal,
        }
        for key, value in facts.items():
            if value:
                registry.tag(name, version, f"{_TAG}.{alias}.{key}", value)
        registry.give(name, alias, version)
    return Promotion(name, version, alias, previous, refusal)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a user id without an entry in the password file

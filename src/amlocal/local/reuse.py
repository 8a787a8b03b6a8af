"""Whether an earlier result serves a step, and why not where it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests
from amlocal.local.fingerprint import Facts, changes, encode, fingerprint
from amlocal.local.outputs import DEFAULT_OUTPUT
from amlocal.local.records import JobRecords, StepFacts
from amlocal.plan import JobInfo, StepReuse


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found for a step.

    Attributes:
        facts: What its result will be, or was, found by.
        reuse: Why it is reused or runs.
        result: The earlier step whose result serves, or None.
    """

    facts: StepFacts
    reuse: StepReuse
    result: JobInfo | None


def look_up(
    records: JobRecords,
    digests: Digests,
    artifacts: Artifacts,
    *,
    step: str,
    scope: str,
    facts: Facts,
    refused: str = "",
) -> Verdict:
    """Find an earlier result with the same facts.

    Args:
        records: The job records.
        digests: Content digests.
        artifacts: Where outputs that were deleted are put back from.
        step: Name of the step.
        scope: What runs of the step are compared within, to say what changed.
        facts: Everything that decides its result.
        refused: Why no earlier result may serve, or an empty string.
    """
    encoded = encode(facts)
    found = fingerprint(encoded)
    key = f"{scope}/{step}"
    result = None if refused else records.find_result(found)
    changed: tuple[str, ...] = ()
    if result is not None and (damage := _damage(result, digests, artifacts)):
        records.withdraw(result.name)
        result, reason = None, f"the result of {damage}"
    elif result is not None:
        reason = f"its facts equal those of {result.name}"
    elif refused:
        reason = refused
    elif last := records.last_facts(key):
        name, before = last
        changed = tuple(changes(json.loads(before), facts))
        reason = (
            f"{len(changed)} fact(s) changed since {name}"
            if changed
            else f"the same run before it, {name}, left no result to reuse"
        )
    else:
        reason = "it has not run before"
    reuse = StepReuse(
        step=step, reason=reason, changed=changed, reused_from=result.name if result else None
    )
    return Verdict(StepFacts(step=key, fingerprint=found, facts=encoded), reuse, result)


def _damage(result: JobInfo, digests: Digests, artifacts: Artifacts) -> str:
    """Say what is wrong with a result's outputs; put back what was merely deleted."""
    for name, output in result.outputs.items():
        place = Path(output.path)
        if name == DEFAULT_OUTPUT:
            place /= "outputs"
        if not place.exists():
            if not artifacts.has(output.digest):
                return f"{result.name} is gone: its output {name!r} was deleted"
            artifacts.restore(output.digest, place)
        elif digests.content(place) != output.digest:
            return f"{result.name} is not as it was: its output {name!r} was changed"
    return ""

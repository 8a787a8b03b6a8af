"""By what a step's result is found again, and what changed where it is not: pure.

Azure reuses a step's result when component, code, environment, inputs, parameters, and output
settings are the same. Here these facts make one sorted JSON document whose SHA-256 is the
fingerprint; the document is kept, so that a miss can be explained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from amlocal.local.bind import BoundInput
from amlocal.plan import Step

Facts = dict[str, Any]


def step_facts(
    step: Step, *, code: Mapping[str, str], environment: str, inputs: Mapping[str, BoundInput]
) -> Facts:
    """Return everything that decides a step's result.

    Args:
        step: The step.
        code: SHA-256 of each file of its code snapshot, by relative path.
        environment: Identity of what it runs in.
        inputs: Its inputs with their content's digests.
    """
    component = step.component
    facts: Facts = {
        "component": {
            "name": component.name,
            "version": component.version,
            "command": component.command,
            "inputs": {name: json.loads(i.to_json()) for name, i in component.inputs.items()},
            "distribution": json.loads(component.distribution.to_json())
            if component.distribution
            else None,
            "instance_count": component.instance_count,
        },
        "code": dict(code),
        "environment": environment,
        "environment_variables": {
            # Values may be secrets: their digest is enough to notice a change.
            name: hashlib.sha256(value.encode()).hexdigest()[:16]
            for name, value in step.environment_variables.items()
        },
        "inputs": {
            # An address without content may hold a secret too (a SAS).
            name: {
                "type": bound.type,
                "mode": bound.mode,
                "content": bound.digest or hashlib.sha256(bound.text.encode()).hexdigest(),
            }
            if bound.literal is None
            else {"type": bound.type, "value": bound.literal}
            for name, bound in inputs.items()
        },
        "outputs": {
            name: {key: getattr(o, key) for key in ("type", "mode", "path", "name", "version")}
            for name, o in step.outputs.items()
        },
    }
    if step.sweep is not None:
        # How many trials ran side by side decides no result.
        sweep = msgspec.structs.replace(step.sweep, max_concurrent_trials=None)
        facts["sweep"] = json.loads(sweep.to_json())
    if component.parallel is not None:
        # As above.
        parallel = msgspec.structs.replace(component.parallel, max_concurrency_per_instance=None)
        facts["parallel"] = json.loads(parallel.to_json())
    if step.automl is not None:
        facts["automl"] = json.loads(step.automl.to_json())
    return facts


def encode(facts: Facts) -> str:
    """Return the facts as sorted JSON."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def fingerprint(encoded: str) -> str:
    """Return the SHA-256 of encoded facts."""
    return hashlib.sha256(encoded.encode()).hexdigest()


def changes(before: Facts, now: Facts) -> list[str]:
    """Return the facts that differ, each as `fact: before -> now`, sorted by fact."""
    old, new = dict(_flat(before)), dict(_flat(now))
    return [
        f"{_readable(key)}: {_short(key, old.get(key))} -> {_short(key, new.get(key))}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, (*path, key))
    elif value not in ({}, None):
        yield path, value


def _readable(key: tuple[str, ...]) -> str:
    return f"{key[0]} {'.'.join(key[1:])}".strip() if key[0] == "code" else ".".join(key)


def _short(key: tuple[str, ...], value: Any) -> str:
    if value is None:
        return "absent"
    is_digest = key[0] in {"code", "environment", "environment_variables"} or key[-1] == "content"
    return str(value)[:8] if is_digest else json.dumps(value)

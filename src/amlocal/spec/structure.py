"""Checks a file field by field against the ledger: unknown fields, and values of the wrong kind.

The kinds of the ledger, of which one that ends in `!` is required and one that ends in `?` may have
no value:

- `text`, `int`, `count` (an `int`, or `auto`), `number`, `bool`, `scalar`, `version`, `any`
- `enum(a b)` in any case, `exactly(a b)` in this case
- `list(KIND)`, `map(KIND)`, `KIND|KIND`
- `none`: nothing, since Azure's own client fails on the field
- the name of another schema: an object of that schema, or one of `_NAMED` below
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from amlocal.errors import near_miss
from amlocal.plan.expression import references
from amlocal.spec import build
from amlocal.spec.fields import ANY_NAME, Field, Status, ledger
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import LITERALS, SCALARS, Check, check_choice, kind_of, named
from amlocal.spec.locate import Place

_DATA = "uri_file uri_folder mltable custom_model mlflow_model triton_model"
_MODES = "ro_mount rw_mount mount download upload direct eval_mount eval_download link"

#: Kinds with names of their own.
_NAMED = {
    "type": "text",
    "code": "text",
    "path": "text",
    "conda": "text|map(any)",
    "environment": "reference|environment_object",
    "component": "text|command_component",
    "step_input": "scalar|job_input_object",
    "job_input": "scalar|job_input_object",
    "step_output": "text|output",
    "data_type": f"enum({_DATA})",
    "input_mode": "enum(ro_mount download direct eval_mount eval_download)",
    "output_mode": "enum(rw_mount mount upload direct)",
    "component_mode": f"exactly({_MODES})",
    "sampling_name": "enum(random grid bayesian)",
    "choice_value": "scalar|conditional",
    "mltable_binding": "text|mltable_input",
    "model_source": "reference|model",
    "collected": "text|collection_data",
    "port_type": f"exactly(path {_DATA} {' '.join(LITERALS)})",
    "output_type": f"exactly(path {_DATA})",
    "create_job": "text|create_job_object",
    "alerts": "text|alert_notification",
    "features": "text|list(text)|feature_filter",
    "week_day": "enum(monday tuesday wednesday thursday friday saturday sunday)",
}

_STEP_SCHEMAS = frozenset(
    {"component_step", "command_step", "sweep_step", "automl_step"}
    | {"parallel_step", "parallel_component_step"}
)
# Where expressions are bound, or belong to a command, or stay text; elsewhere no value is there yet
# when a step is made ready.
_FIELDS_WITH_EXPRESSIONS = frozenset(
    {"inputs", "outputs", "command", "component", "trial", "compute", "environment_variables"}
    | {"training_data", "validation_data", "test_data", "task", "input_data"}
)


def check_object(
    findings: Findings, place: Place, value: Any, schema: str, *, quiet: bool = False
) -> None:
    """Check an object of a schema of the ledger.

    Args:
        findings: Where problems and warnings go.
        place: The object's place.
        value: The object as YAML gives it.
        schema: A schema of the ledger.
        quiet: Whether its fields are not warned of, since something above them was.
    """
    what = schema.replace("_", " ")
    if not isinstance(value, Mapping):
        message = f"{_called(place, what)} must be a mapping of fields, not {kind_of(value)}"
        findings.problem(place, message, f"fields: {', '.join(_writable(schema))}")
        return
    fields = ledger()[schema]
    for name, item in value.items():
        at = place.at(name)
        if name not in fields:
            _unknown(findings, at, str(name), schema)
            continue
        _check_field(findings, at, item, fields[name], quiet=quiet)
    strangers = [str(name) for name in value if name not in fields]
    for missing in fields.values():
        if missing.is_required and missing.name not in value:
            if any(get_close_matches(name, [missing.name]) for name in strangers):
                continue  # told already: it is misspelt
            message = f"{_called(place, what)} lacks the field {missing.name!r}"
            findings.problem(place, message, f"add {missing.name}:")


def _check_field(findings: Findings, at: Place, value: Any, field: Field, *, quiet: bool) -> None:
    if field.status is Status.REFUSED:
        message = f"{field.name!r} does not work here: {_lower(field.note)}"
        # What Azure's own client fails on is wrong for either target.
        (findings.problem if field.kind == "none" else findings.unsupported)(
            at, message, "remove it"
        )
        return
    warned = field.status in {Status.WARNED, Status.APPROXIMATED}
    if field.status is Status.WARNED and not quiet:
        findings.warn_field(field)
    if field.schema in _STEP_SCHEMAS and _is_bound(value, field.name):
        findings.problem(
            at,
            f"{field.name!r} of a step cannot be bound to an input here",
            "write its value",
            text="${{",
        )
        return
    if field.name == "environment_variables" and _is_bound(value, ""):
        findings.warn(f"{field.schema}.{field.name}", "An expression in a variable stays text.")
    check_value(findings, at, value, field.kind.rstrip("!"), quiet=quiet or warned)


def _is_bound(value: Any, field: str) -> bool:
    if field in _FIELDS_WITH_EXPRESSIONS:
        return False
    if isinstance(value, Mapping):
        return any(_is_bound(item, "") for item in value.values())
    return isinstance(value, str) and bool(references(value))


def check_value(
    findings: Findings, place: Place, value: Any, kind: str, *, quiet: bool = False
) -> None:
    """Check a value against a kind of the ledger."""
    if kind.endswith("?"):
        if value is None:
            return
        kind = kind[:-1]
    if value is None and kind != "any":
        hint = "give it a value, or remove it"
        findings.problem(place, f"{named(place)} has no value", hint)
        return
    outer, _, inner = kind.partition("(")
    if "|" in outer:
        _check_alternatives(findings, place, value, kind.split("|"), quiet=quiet)
    elif outer in _CONTAINERS:
        _check_items(findings, place, value, outer, inner[:-1], quiet=quiet)
    elif outer in {"enum", "exactly"}:
        check_choice(findings, place, value, inner[:-1].split(), any_case=outer == "enum")
    elif kind in SCALARS:
        SCALARS[kind](findings, place, value)
    elif kind in _NAMED:
        check_value(findings, place, value, _NAMED[kind], quiet=quiet)
    elif kind in _OBJECTS:
        _OBJECTS[kind](findings, place, value)
    elif kind not in {"any", _STEP}:
        check_object(findings, place, value, kind, quiet=quiet)


_CONTAINERS = {"map": "a mapping of names to values", "list": "a list"}


def _check_items(
    findings: Findings, place: Place, value: Any, outer: str, inner: str, *, quiet: bool
) -> None:
    if not isinstance(value, Mapping if outer == "map" else list):
        message = f"{named(place)} must be {_CONTAINERS[outer]}, not {kind_of(value)}"
        hint = "put each name on its own line below" if outer == "map" else "put `- ` before it"
        findings.problem(place, message, hint)
        return
    items: Iterable[tuple[Any, Any]] = (
        value.items() if isinstance(value, Mapping) else enumerate(value)
    )
    for key, item in items:
        if outer == "map" and not isinstance(key, str):
            findings.problem(place, f"the name {key!r} in {named(place)} is not text", "quote it")
        else:
            check_value(findings, place.at(key), item, inner, quiet=quiet)


def _check_alternatives(
    findings: Findings, place: Place, value: Any, kinds: list[str], *, quiet: bool
) -> None:
    """Check against the alternative that has the value's shape; at most one has."""
    for kind in kinds:
        is_object = kind.startswith("map(") or kind in _OBJECTS or kind in ledger()
        if is_object == isinstance(value, Mapping) and kind.startswith("list(") == isinstance(
            value, list
        ):
            check_value(findings, place, value, kind, quiet=quiet)
            return
    findings.problem(place, f"{named(place)} must not be {kind_of(value)}", f"give {_words(kinds)}")


def _job_input(findings: Findings, place: Place, value: Any) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind in LITERALS:
        message = f"{named(place)} is one value ({kind}), and so has no fields"
        given = value.get("value", value.get("default", "VALUE"))
        findings.problem(place.at("type"), message, f"write {place.path[-1]}: {given!r}")
        return
    check_object(findings, place, value, "job_input")
    if isinstance(value, Mapping) and "value" in value and len(value) > 1:
        others = ", ".join(repr(name) for name in value if name != "value")
        message = f"{named(place)} has a value, and so takes no {others}"
        findings.problem(place, message, f"write {place.path[-1]}: {value['value']!r}")
    elif isinstance(value, Mapping) and "path" not in value and "value" not in value:
        findings.problem(place, f"{named(place)} has neither a path nor a value", "give one")


def _mltable_input(findings: Findings, place: Place, value: Any) -> None:
    check_object(findings, place, value, "job_input")
    data = value if isinstance(value, Mapping) else {}
    kind = data.get("type", "mltable")
    if isinstance(kind, str) and kind.lower() != "mltable":
        message = f"{named(place)} must be an mltable, not {kind!r}"
        hint = "write type: mltable, with a path to a folder that has an MLTable file"
        findings.problem(place.at("type"), message, hint)
    if isinstance(value, Mapping) and "path" not in data:
        findings.problem(place, f"{named(place)} has no path", "add path:")


def _environment(findings: Findings, place: Place, value: Any) -> None:
    stray = [name for name in ("channels", "dependencies") if name in value]
    if stray:
        message = f"{named(place)} has {stray[0]!r}, which belongs into a conda file"
        findings.problem(place.at(stray[0]), message, "put it below conda_file:, beside image:")
        return
    check_object(findings, place, value, "environment")
    if not {"image", "build", "name"} & set(value):
        message = f"{named(place)} has neither an image nor a build context"
        findings.problem(place, message, "add image:, for example a curated one")
    if "image" in value and "build" in value:
        message = f"{named(place)} has both an image and a build context"
        findings.problem(place.at("build"), message, "keep one")


def _component_input(findings: Findings, place: Place, value: Any) -> None:
    check_object(findings, place, value, "component_input")
    if not isinstance(value, Mapping):
        return
    literal = str(value.get("type")) in LITERALS
    for name in ("min", "max", "enum") if not literal else ("mode",):
        if name in value:
            what = "data" if not literal else "one value"
            message = f"{named(place)} is {what}, and so takes no {name!r}"
            findings.problem(place.at(name), message, "remove it")


def _variant(findings: Findings, place: Place, value: Any, schemas: Mapping[str, str]) -> None:
    """Check an object whose `type` says which schema it has."""
    if not isinstance(value, Mapping):
        message = f"{named(place)} must be a mapping with a type, not {kind_of(value)}"
        findings.problem(place, message, f"types: {', '.join(schemas)}")
        return
    said = value.get("type")
    # The SDK takes `MedianStopping` for `median_stopping`.
    spelt = {name.replace("_", ""): schema for name, schema in schemas.items()}
    schema = spelt.get(str(said).lower().replace("_", ""))
    if schema is not None:
        check_object(findings, place, value, schema)
    elif "type" in value:
        hint = near_miss(str(said), schemas)
        findings.problem(place.at("type"), f"{named(place)} cannot be of type {said!r}", hint)
    else:
        findings.problem(place, f"{named(place)} lacks its type", f"types: {', '.join(schemas)}")


def _signal(findings: Findings, place: Place, value: Any) -> None:
    kind = build.text(build.mapping(value).get("type")).lower()
    row = ledger()["signal_type"].get(kind)
    if row is not None and row.status is Status.REFUSED:
        message = f"a signal of the type {kind} does not run here: {_lower(row.note)}"
        findings.unsupported(place.at("type"), message, "keep it in a monitor of its own, in Azure")
        return
    _variant(findings, place, value, _SIGNALS)


def _conditional(findings: Findings, place: Place, value: Any) -> None:  # noqa: ARG001 - a Check
    message = "a conditional search space (a choice of mappings) does not run here"
    findings.unsupported(place, message, "make each of its parameters one of the search space")


def _enabled(findings: Findings, place: Place, value: Any) -> None:
    # The SDK takes no boolean of YAML here, only text in any case.
    if isinstance(value, bool):
        said = str(value).lower()
        findings.problem(place, f"{named(place)} must be text, not {said}", f'write "{said}"')
    else:
        check_choice(findings, place, value, ["true", "false"], any_case=True)


def _scale_settings(findings: Findings, place: Place, value: Any) -> None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if isinstance(kind, str) and kind.lower().replace("_", "") == "targetutilization":
        # ManagedOnlineDeployment._validate_scale_settings of azure.ai.ml.
        message = "a managed deployment does not scale by utilization"
        hint = "write type: default, and set instance_count"
        findings.problem(place.at("type"), message, hint)
        return
    check_object(findings, place, value, "scale_settings")


def _one_or_several(findings: Findings, place: Place, value: Any, kind: str) -> None:
    """Check one value of a kind, or a list of such."""
    check_value(findings, place, value, f"list({kind})" if isinstance(value, list) else kind)


_DISTRIBUTIONS = {
    "choice": "choice",
    "randint": "randint",
    **dict.fromkeys(("uniform", "loguniform"), "uniform"),
    **dict.fromkeys(("quniform", "qloguniform"), "quniform"),
    **dict.fromkeys(("normal", "lognormal"), "normal"),
    **dict.fromkeys(("qnormal", "qlognormal"), "qnormal"),
}
_SAMPLINGS = {name: f"{name}_sampling" for name in ("random", "grid", "bayesian")}
_TRIGGERS = {name: f"{name}_trigger" for name in ("cron", "recurrence")}
_SIGNALS = {
    name: f"{name}_signal"
    for name, row in ledger()["signal_type"].items()
    if row.status is not Status.REFUSED
}
_CREATE_JOBS = {name: f"{name}_create_job" for name in ("pipeline", "command")}
_POLICIES = {name: name for name in ("bandit", "median_stopping", "truncation_selection")}

#: Checked by `amlocal.spec.steps`: a step's schema depends on what it holds.
_STEP = "step"
_OBJECTS: Mapping[str, Check] = {
    "job_input_object": _job_input,
    "environment_object": _environment,
    "mltable_input": _mltable_input,
    "component_input": _component_input,
    "search_space": functools.partial(_variant, schemas=_DISTRIBUTIONS),
    "sampling_object": functools.partial(_variant, schemas=_SAMPLINGS),
    "early_termination": functools.partial(_variant, schemas=_POLICIES),
    "conditional": _conditional,
    "enabled": _enabled,
    "scale_settings_object": _scale_settings,
    "trigger": functools.partial(_variant, schemas=_TRIGGERS),
    "signal": _signal,
    "create_job_object": functools.partial(_variant, schemas=_CREATE_JOBS),
    "number_or_numbers": functools.partial(_one_or_several, kind="int"),
    "week_days": functools.partial(_one_or_several, kind="week_day"),
}


def _unknown(findings: Findings, at: Place, name: str, schema: str) -> None:
    fields = ledger()[schema]
    hint = near_miss(name, _writable(schema))
    if ANY_NAME in fields:
        said = [_lower(fields[ANY_NAME].note), hint]
        findings.warn(f"{schema}.{name}", "; ".join(filter(None, said)))
        return
    findings.problem(at, f"no field named {name!r} in {_article(schema)}", hint)


@functools.cache
def _writable(schema: str) -> tuple[str, ...]:
    """Return the fields that a file may set."""
    return tuple(
        field.name
        for field in ledger()[schema].values()
        if field.name not in {ANY_NAME, "$schema"} and field.note != "Azure fills it in."
    )


def _article(schema: str) -> str:
    what = schema.replace("_", " ")
    return what if what.endswith("s") else f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def _called(place: Place, what: str) -> str:
    return f"{what} {place.path[-1]!r}" if place.path else f"the {what}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _words(kinds: list[str]) -> str:
    words = {"scalar": "one value", "text": "text", "reference": "a reference"}
    return " or ".join(words.get(kind, "a mapping") for kind in kinds)

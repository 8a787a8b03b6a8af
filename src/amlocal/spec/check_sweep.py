"""Checks what the SDK takes of a sweep and Azure's service, or a trial, would not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from amlocal.errors import Problem, near_miss
from amlocal.plan import Choice, Component, Distributed, Normal, Randint, Uniform
from amlocal.plan.expression import references
from amlocal.spec import build, sweeps
from amlocal.spec.check import article, check_names, check_value, plain
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place

#: As the reference of Azure's YAML has them.
MOST_TRIALS = 1000
LONGEST_TIMEOUT = 5_184_000

#: Above it e to the power of a value is no number of a computer's.
_GREATEST_LOGARITHM = 700
_BAYESIAN = "bayesian sampling takes choice, uniform, and quniform"


def check_sweep(
    findings: Findings, at: Place, value: Mapping[str, Any], component: Component | None
) -> None:
    """Check a sweep job or step whose fields are of the right kinds.

    Args:
        findings: Where problems and warnings go.
        at: The job's or the step's place.
        value: Its fields.
        component: What the trials of a step run; of a job, or where that is wrong in itself, None.
    """
    space = build.mapping(value.get("search_space"))
    place = at.at("search_space")
    if isinstance(value.get("search_space"), Mapping) and not space:
        findings.problem(place, "the search space is empty", "add a parameter and its distribution")
    findings.add(check_names(space, place, "parameter"))
    for name, item in space.items():
        found = sweeps.distributed(build.mapping(item))
        if found is not None:
            findings.add(_distribution(name, found, build.mapping(item), place.at(name)))
    findings.add(_names(at, value, space, component))
    if component is not None:
        for name, item in space.items():
            _for_input(findings, name, build.mapping(item), component, place.at(name))
    findings.add(_sampling(at, value, space))
    findings.add(_limits(at.at("limits"), build.mapping(value.get("limits"))))
    findings.add(
        _early_termination(
            at.at("early_termination"), build.mapping(value.get("early_termination"))
        )
    )
    metric = build.mapping(value.get("objective")).get("primary_metric")
    if isinstance(metric, str) and not metric.strip():
        hint = "give the name by which trials log it"
        findings.problem(at.at("objective", "primary_metric"), "the metric has no name", hint)


def _distribution(
    name: str, found: Distributed, value: Mapping[str, Any], at: Place
) -> Iterator[Problem]:
    what = f"parameter {name!r}"
    if isinstance(found, Choice):
        if value.get("values") == []:
            yield at.at("values").problem(f"{what} has nothing to choose from", "add values")
        if any(isinstance(item, Mapping) for item in value.get("values") or ()):
            return  # told where kinds are checked
    elif isinstance(found, Randint):
        if isinstance(value.get("upper"), int) and found.upper < 1:
            hint = "give 1 or more: the number is below it"
            yield at.at("upper").problem(f"upper of {what} is {found.upper}", hint)
    else:
        yield from _bounds(what, found, value, at)


def _bounds(
    what: str, found: Uniform | Normal, value: Mapping[str, Any], at: Place
) -> Iterator[Problem]:
    if isinstance(found, Uniform):
        greatest, field = found.max_value, "max_value"
        if found.min_value > found.max_value:
            least, most = plain(found.min_value), plain(found.max_value)
            message = f"min_value {least} of {what} is above max_value {most}"
            yield at.at("min_value").problem(message, "exchange them")
    else:
        greatest, field = found.mu, "mu"
        if found.sigma <= 0:
            sigma = at.at("sigma")
            yield sigma.problem(f"sigma of {what} is {plain(found.sigma)}", "give more than 0")
    if found.is_log and greatest > _GREATEST_LOGARITHM:
        hint = f"the bounds are logarithms: write {math.log(greatest):.4g} for {plain(greatest)}"
        yield at.at(field).problem(f"{field} of {what} is too great: e to its power", hint)
    if "q" in value and found.q is not None and found.q <= 0:
        message = f"q of {what} is {plain(found.q)}, but values are its multiples"
        yield at.at("q").problem(message, "give more than 0")


def _names(
    at: Place, value: Mapping[str, Any], space: Mapping[str, Any], component: Component | None
) -> Iterator[Problem]:
    """Check that each parameter reaches the command, and is no input at the same time."""
    inputs = build.mapping(value.get("inputs"))
    trial = build.mapping(value.get("trial"))
    command = component.command if component is not None else build.text(trial.get("command"))
    used = {found.path[1:] for found in references(command)}
    for name in space:
        place = at.at("search_space", name)
        if name in inputs:
            message = f"{name!r} is an input, and a parameter of the search space"
            yield place.problem(message, "remove one of them")
        elif component is not None and name not in component.inputs:
            hint = near_miss(name, component.inputs) or "the trial's component has no inputs"
            yield place.problem(f"the trial has no input {name!r}", hint)
        elif command and (name,) not in used and f"AZUREML_SWEEP_{name}" not in command:
            where = "inputs" if component is not None else "search_space"
            hint = f"write ${{{{{where}.{name}}}}} where it belongs"
            yield place.problem(f"the trial's command does not use the parameter {name!r}", hint)


def _for_input(
    findings: Findings, name: str, value: Mapping[str, Any], component: Component, at: Place
) -> None:
    """Compare a parameter with the input of the component that it sets."""
    declared = component.inputs.get(name)
    found = sweeps.distributed(value)
    if declared is None or found is None:
        return
    if not declared.is_literal:
        message = f"the trial's input {name!r} takes data ({declared.type}), not a parameter"
        findings.problem(at, message, "remove it")
    elif isinstance(found, Choice):
        for index, item in enumerate(found.values):
            what = f"the trial's input {name!r}"
            findings.add(check_value(what, declared, item, at.at("values", index)))
    elif declared.type in {"boolean", "string"}:
        message = f"the trial's input {name!r} is {article(declared.type)}, not a number"
        findings.problem(at, message, "use choice")
    elif declared.type == "integer" and not _is_whole(found):
        message = (
            f"It gives fractions to the integer input {name!r}: as in Azure, the script gets them."
        )
        findings.warn(f"search_space.{name}", message)


def _is_whole(found: Distributed) -> bool:
    if isinstance(found, (Uniform, Normal)):
        return found.q is not None and found.q.is_integer()
    return True


def _sampling(at: Place, value: Mapping[str, Any], space: Mapping[str, Any]) -> Iterator[Problem]:
    said = value.get("sampling_algorithm")
    data = build.mapping(said)
    kind = build.text(said if isinstance(said, str) else data.get("type")).lower()
    for name, item in space.items():
        place = at.at("search_space", name, "type")
        given = build.text(build.mapping(item).get("type")).lower()
        if kind == "grid" and given != "choice" and given:
            message = f"a grid has no points of {given} (parameter {name!r})"
            yield place.problem(message, "use choice, or sampling_algorithm: random")
        elif kind == "bayesian" and given and given not in {"choice", "uniform", "quniform"}:
            message = f"{_BAYESIAN}, not {given} (parameter {name!r})"
            yield place.problem(message, "use one of these, or sampling_algorithm: random")
    if kind == "bayesian" and value.get("early_termination"):
        place = at.at("early_termination")
        yield place.problem(
            "bayesian sampling does not go with early termination",
            "remove it, or use sampling_algorithm: random",
        )
    place = at.at("sampling_algorithm")
    seed = build.number(data.get("seed"))
    if seed is not None and seed < 0:
        yield place.at("seed").problem(f"seed is {plain(seed)}", "give 0 or more")
    if "logbase" in data:
        base = sweeps.logbase(data["logbase"])
        if base is None or base <= 0 or base == 1:
            hint = "give a positive number other than 1, or e"
            yield place.at("logbase").problem(f"logbase cannot be {data['logbase']!r}", hint)


def _limits(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    limits = {"max_total_trials": MOST_TRIALS, "max_concurrent_trials": MOST_TRIALS}
    limits |= {"timeout": LONGEST_TIMEOUT, "trial_timeout": LONGEST_TIMEOUT}
    for name, most in limits.items():
        given = build.number(value.get(name))
        if given is not None and not 1 <= given <= most:
            message = f"{name} is {plain(given)}, which is out of range"
            yield at.at(name).problem(message, f"give 1 to {most}")
    total = build.number(value.get("max_total_trials"))
    at_once = build.number(value.get("max_concurrent_trials"))
    if total is not None and at_once is not None and 1 <= total < at_once:
        message = f"max_concurrent_trials {plain(at_once)} is above max_total_trials {plain(total)}"
        yield at.at("max_concurrent_trials").problem(message, f"give at most {plain(total)}")


def _early_termination(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("evaluation_interval", "delay_evaluation", "slack_factor", "slack_amount"):
        given = build.number(value.get(name))
        if given is not None and given < 0:
            yield at.at(name).problem(f"{name} is {plain(given)}", "give 0 or more")
    kind = build.text(value.get("type")).lower()
    if kind == "bandit":
        slacks = [n for n in ("slack_factor", "slack_amount") if build.number(value.get(n))]
        if not slacks:
            hint = "add slack_factor: or slack_amount:"
            yield at.problem("a bandit policy needs its slack", hint)
        elif len(slacks) > 1:
            message = "a bandit policy has both slack_factor and slack_amount"
            yield at.at("slack_amount").problem(message, "keep one")
    share = build.number(value.get("truncation_percentage"))
    if share is not None and not 1 <= share <= 99:
        message = f"truncation_percentage is {plain(share)}"
        yield at.at("truncation_percentage").problem(message, "give 1 to 99")

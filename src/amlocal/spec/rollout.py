"""Loads the policy of a progressive rollout; its format is the project's own.

::

    endpoint_name: adult
    deployment_name: green
    deployment_file: green.yml         # optional: creates the deployment
    stages:
      - {shadow: 20, duration: 60, minimum_requests: 200, timeout: 3600}
      - {traffic: 10}
      - {traffic: 100}
    rules:
      error_rate: {maximum: 0.01, maximum_increase: 0.005}
      latency:
        - {percentile: 95, maximum_ratio: 1.5, minimum_requests: 300}
      agreement: {minimum: 0.95}
      confidence: 0.99
    on_insufficient: abort             # wait, proceed
    probes: {request_file: request.json, rate: 5}

Times are seconds, shares of requests (`maximum`, `minimum`) go from 0 to 1, traffic is percent.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from amlocal.plan import (
    AgreementRule,
    ErrorRule,
    LatencyRule,
    ReplayedRequests,
    RolloutPolicy,
    RolloutStage,
)
from amlocal.plan.rollout import OnInsufficient, StageKind
from amlocal.spec import build, overrides
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import check_choice, named
from amlocal.spec.locate import Place, absolute, read_document
from amlocal.spec.objects import check_fields
from amlocal.spec.paths import problem_missing

#: Azure mirrors at most so much.
MOST_SHADOW = 50
KINDS: tuple[StageKind, ...] = get_args(StageKind)
_SHARES: Mapping[str, str] = dict.fromkeys(KINDS, "int")

_POLICY = {
    "endpoint_name": "text!",
    "deployment_name": "text!",
    "deployment_file": "text",
    "stages": "list(any)!",
    "rules": "any!",
    "on_insufficient": "any",
    "probes": "any",
}
_STAGE = {"duration": "number", "minimum_requests": "int", "timeout": "number"}
_RULES = {"error_rate": "any", "latency": "list(any)", "agreement": "any", "confidence": "number"}
_ERRORS = {"maximum": "number", "maximum_increase": "number"}
_LATENCY = {"percentile": "number!", "maximum_ratio": "number!", "minimum_requests": "int"}
_AGREEMENT = {"minimum": "number!"}
_PROBES = {"request_file": "text!", "rate": "number"}


def load(file: Path, settings: Sequence[str] = ()) -> RolloutPolicy:
    """Load a policy.

    Args:
        file: Its absolute path.
        settings: `a.b=c` settings.

    Raises:
        SpecError: The file is wrong; holds every problem, each with its line.
        UsageError: A setting is wrong.
    """
    document = overrides.apply(read_document(file), settings)
    findings = Findings(document.name)
    findings.add(document.problems)
    reader = _Reader(findings)
    policy = reader.policy(document.place, document.data)
    findings.raise_problems()
    return policy


class _Reader:
    """Builds the policy from a file's fields, and notes what is wrong with them.

    A field that is wrong is read as its default, since the policy is not used then.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def policy(self, at: Place, value: Any) -> RolloutPolicy:
        data = self._fields(at, value, _POLICY, "a rollout's policy")
        stages = self._stages(at.at("stages"), data.get("stages"))
        rules = self._fields(at.at("rules"), data.get("rules", {}), _RULES, "the rules")
        errors, latencies, agreement = self._rules(at.at("rules"), rules)
        probes = self._probes(at.at("probes"), data["probes"]) if "probes" in data else None
        if "rules" in data and not (errors or latencies or agreement):
            hint = "add error_rate:, latency:, or agreement:"
            self._findings.problem(at.at("rules"), "no rule limits anything", hint)
        if agreement and not probes and not any(stage.kind == "shadow" for stage in stages):
            hint = "add a stage `- shadow: 20`, or probes:"
            place = at.at("rules", "agreement")
            self._findings.problem(place, "answers are compared in no stage", hint)
        file = build.text(data.get("deployment_file"))
        defaults = RolloutPolicy(endpoint_name="", deployment_name="", stages=())
        return RolloutPolicy(
            endpoint_name=self._name(at.at("endpoint_name"), data),
            deployment_name=self._name(at.at("deployment_name"), data),
            deployment_file=self._file(at.at("deployment_file"), file) if file else "",
            stages=stages,
            errors=errors,
            latencies=latencies,
            agreement=agreement,
            confidence=self._number(
                at.at("rules", "confidence"), rules, defaults.confidence, 0.5, 0.99999
            ),
            on_insufficient=self._on_insufficient(at.at("on_insufficient"), data),
            probes=probes,
            source=at.document.name,
        )

    def _stages(self, at: Place, value: Any) -> tuple[RolloutStage, ...]:
        items = value if isinstance(value, list) else []
        if value == []:
            self._findings.problem(at, "there are no stages", "add `- traffic: 100`")
        stages = [self._stage(at.at(number), item) for number, item in enumerate(items)]
        told = [(at.at(number), stage) for number, stage in enumerate(stages) if stage is not None]
        for (_, before), (place, stage) in itertools.pairwise(told):
            if stage.kind == "shadow" and before.kind == "traffic":
                hint = "put it before the stages with traffic"
                self._findings.problem(place, "a shadow stage comes after traffic", hint)
            elif stage.kind == before.kind and stage.percent <= before.percent:
                hint = "let each stage have more than the one before"
                message = f"{stage} comes after {before}"
                self._findings.problem(place, message, hint)
        if told and len(told) == len(stages) and told[-1][1].percent != 100:
            place, stage = told[-1]
            self._findings.problem(place, f"the last stage is {stage}", "add `- traffic: 100`")
        return tuple(stage for _, stage in told)

    def _stage(self, at: Place, value: Any) -> RolloutStage | None:
        """Build a stage, or return None where its kind or its share is wrong."""
        known: dict[str, str] = {**_SHARES, **_STAGE}
        data = self._fields(at, value, known, "a stage")
        kinds = [kind for kind in KINDS if kind in data]
        if isinstance(value, Mapping) and len(kinds) != 1 and data.keys() <= known.keys():
            what = "both shadow and traffic" if kinds else "neither shadow nor traffic"
            self._findings.problem(at, f"a stage has {what}", "write one, as in `- traffic: 10`")
        if len(kinds) != 1:
            return None
        (kind,) = kinds
        most = MOST_SHADOW if kind == "shadow" else 100
        share = self._number(at.at(kind), data, 0, 1, most, whole=True)
        defaults = RolloutStage(kind=kind, percent=0)
        duration = self._number(at.at("duration"), data, defaults.duration, 0)
        timeout = self._number(at.at("timeout"), data, max(defaults.timeout, duration), 0)
        if timeout < duration:
            message = f"timeout {timeout:g} is below duration {duration:g}"
            self._findings.problem(at.at("timeout"), message, "give more")
        count = self._number(
            at.at("minimum_requests"), data, defaults.minimum_requests, 0, whole=True
        )
        if not share:
            return None
        return RolloutStage(
            kind=kind,
            percent=int(share),
            duration=duration,
            minimum_requests=int(count),
            timeout=timeout,
        )

    def _rules(
        self, at: Place, data: Mapping[str, Any]
    ) -> tuple[ErrorRule | None, tuple[LatencyRule, ...], AgreementRule | None]:
        errors = agreement = None
        if "error_rate" in data:
            place = at.at("error_rate")
            fields = self._fields(place, data["error_rate"], _ERRORS, "error_rate")
            if fields == {}:
                self._findings.problem(place, "error_rate has no limit", "add maximum: 0.01")
            errors = ErrorRule(
                maximum=self._share(place, fields, "maximum"),
                maximum_increase=self._share(place, fields, "maximum_increase"),
            )
        items = data.get("latency")
        latencies = tuple(
            self._latency(at.at("latency", number), item)
            for number, item in enumerate(items if isinstance(items, list) else ())
        )
        if "agreement" in data:
            place = at.at("agreement")
            fields = self._fields(place, data["agreement"], _AGREEMENT, "agreement")
            agreement = AgreementRule(minimum=self._share(place, fields, "minimum") or 0.0)
        return errors, latencies, agreement

    def _latency(self, at: Place, value: Any) -> LatencyRule:
        data = self._fields(at, value, _LATENCY, "a limit of latency")
        count = self._number(at.at("minimum_requests"), data, 0, 0, whole=True)
        return LatencyRule(
            percentile=self._number(at.at("percentile"), data, 50, 1, 99.99),
            maximum_ratio=self._number(at.at("maximum_ratio"), data, 1, 1),
            minimum_requests=int(count),
        )

    def _probes(self, at: Place, value: Any) -> ReplayedRequests:
        data = self._fields(at, value, _PROBES, "probes")
        file = build.text(data.get("request_file"))
        return ReplayedRequests(
            request_file=self._file(at.at("request_file"), file) if file else "",
            rate=self._number(at.at("rate"), data, ReplayedRequests(request_file="").rate, 0.01),
        )

    def _on_insufficient(self, at: Place, data: Mapping[str, Any]) -> OnInsufficient:
        choices: dict[str, OnInsufficient] = {each: each for each in get_args(OnInsufficient)}
        said = data.get("on_insufficient", "abort")
        check_choice(self._findings, at, said, list(choices), any_case=False)
        return choices.get(str(said), "abort")

    def _name(self, at: Place, data: Mapping[str, Any]) -> str:
        return build.text(data.get(str(at.path[-1])))

    def _file(self, at: Place, path: str) -> str:
        file = absolute(path, at.document.folder)
        if not file.is_file():
            problem_missing(self._findings, at, file, "the file")
        return str(file)

    def _share(self, at: Place, data: Mapping[str, Any], name: str) -> float | None:
        return self._number(at.at(name), data, 0, 0, 1) if name in data else None

    def _number(
        self,
        at: Place,
        data: Mapping[str, Any],
        default: float,
        least: float,
        most: float = 1_000_000,
        *,
        whole: bool = False,
    ) -> float:
        """Return a field's number, or its default where there is none in the range."""
        given = build.number(data.get(str(at.path[-1])))
        if given is None:
            return default
        if not least <= given <= most or (whole and not given.is_integer()):
            kind = "a whole number " if whole else ""
            hint = f"give {kind}from {least:g}" + (f" to {most:g}" if most < 1_000_000 else "")
            self._findings.problem(at, f"{named(at)} is {given:g}", hint)
            return default
        return given

    def _fields(
        self, at: Place, value: Any, known: Mapping[str, str], what: str
    ) -> Mapping[str, Any]:
        return check_fields(self._findings, at, value, known, what)

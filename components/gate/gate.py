"""Judge a model by a policy and against the champion; decide what becomes of it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import mlflow
from gate_report import Gate, markdown, sections
from incumbents import (
    challenger_comparison,
    champion_comparison,
    champion_of,
    compared_figure,
)

from gatekit.evidence import METRICS, Evidence, read_evidence
from gatekit.judge import Verdict, judge, refusals
from gatekit.policy import Policy, parse_short, read_policy
from gatekit.promotion import Comparison, Decision, decide
from gatekit.telling import HEAD, counts, document, in_short, problems, row
from stepkit.findings import write_findings
from stepkit.metrics import task_of
from stepkit.program import StepError, boolean, read_json, run, text_table, write_json, write_text
from stepkit.registry import RegisteredModel, settle_name
from stepkit.tracking import Tracking, tracked

#: Inputs that are reports.
REPORTS = (
    "evaluation",
    "generalisation",
    "profile",
    "explanation",
    "responsible_ai",
    "data_report",
)
_FORMAT = 1


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", type=Path, required=True)
    for name in REPORTS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path)
    parser.add_argument("--test-data", type=Path, help="to score registered models on")
    parser.add_argument("--model-name", default="auto", help="auto: TARGET-TASK")
    parser.add_argument("--thresholds", default="none", help="such as: auc>=0.9 error_rate<=0.14")
    parser.add_argument("--compare-by", default="auto", help="figure; auto: auc or rmse")
    parser.add_argument("--min-gain", type=float, default=0.0)
    parser.add_argument("--fail-when-refused", type=boolean, default=False)
    parser.add_argument("--decision", type=Path, required=True)
    return parser.parse_args(argv)


def read_all(args: argparse.Namespace) -> tuple[Policy, Evidence, dict[str, Any] | None]:
    """Return the policy, all figures, and what `evaluate` says of the model, if it is given."""
    policy = read_policy(args.policy)
    # Those in short say no task, and one job serves tables of either.
    short = [replace(rule, task=task_of(rule.figure)) for rule in parse_short(args.thresholds)]
    policy = replace(policy, rules=(*short, *policy.rules))
    given = [path for name in REPORTS if (path := getattr(args, name)) is not None]
    if not given:
        raise StepError("no report is given to judge by", hint=f"give one of {', '.join(REPORTS)}")
    evidence = read_evidence(given)
    evaluation = None
    if args.evaluation is not None:
        evaluation = read_json(args.evaluation / METRICS)
    return policy, evidence, evaluation


def compare(
    model: RegisteredModel, evidence: Evidence, evaluation: dict[str, Any], args: argparse.Namespace
) -> list[Comparison]:
    """Compare a model that passes with the champion, and where it does not beat it, with more.

    Returns:
        The comparisons with champion and challenger, as far as they decide.
    """
    present = evidence.champion
    if present is None or present.version is None or present.is_candidate:
        return []
    figure = compared_figure(evidence, args.compare_by)
    champion = champion_comparison(
        model, present.version, figure, evaluation, args.test_data, args.min_gain
    )
    if champion.is_beaten or champion.gain == 0:
        return [champion]
    challenger = challenger_comparison(model, figure, evaluation, args.test_data)
    return [champion] if challenger is None else [champion, challenger]


def settle(
    verdicts: Sequence[Verdict],
    evidence: Evidence,
    evaluation: dict[str, Any] | None,
    model: RegisteredModel | None,
    args: argparse.Namespace,
) -> tuple[Decision, list[Comparison]]:
    """Return what becomes of the model, and whom it was compared with."""
    refused = refusals(verdicts)
    if evaluation is None:
        refused = (*refused, "no evaluation is given, so it cannot be compared with a champion")
    compared: list[Comparison] = []
    if not refused and evaluation is not None and model is not None:
        compared = compare(model, evidence, evaluation, args)
    by_alias = {each.alias: each for each in compared}
    champion = evidence.champion
    is_champion = champion is not None and champion.is_candidate
    decision = decide(
        refused,
        by_alias.get("champion"),
        by_alias.get("challenger"),
        present=str(champion.version) if champion is not None and is_champion else "",
    )
    return decision, compared


def decided(args: argparse.Namespace) -> Gate:
    """Read, judge, compare, and decide."""
    policy, evidence, evaluation = read_all(args)
    model = None
    if evaluation is not None:
        name = settle_name(args.model_name, evaluation["target"], evaluation["task"])
        if os.environ.get("MLFLOW_TRACKING_URI"):
            model = RegisteredModel(mlflow.MlflowClient(), name)
            evidence = evidence.with_champion(champion_of(model, evidence.model_digest))
        else:
            print("note: no model registry (MLFLOW_TRACKING_URI is not set), so no champion")
    verdicts = judge(policy, evidence)
    decision, comparisons = settle(verdicts, evidence, evaluation, model, args)
    return Gate(
        policy=policy,
        evidence=evidence,
        verdicts=verdicts,
        decision=decision,
        comparisons=tuple(comparisons),
        model_name="" if evaluation is None else name,
        target="" if evaluation is None else str(evaluation["target"]),
        challenger=None if model is None else model.version_with("challenger"),
    )


def as_json(gate: Gate) -> dict[str, Any]:
    """Return what `gate.json` says; `register` and `report` read it."""
    evidence, champion = gate.evidence, gate.evidence.champion
    return {
        "format": _FORMAT,
        "decision": gate.decision.outcome,
        "passes_policy": not refusals(gate.verdicts),
        "reasons": list(gate.decision.reasons),
        "model_name": gate.model_name,
        "target": gate.target,
        "task": evidence.task,
        "model_digest": evidence.model_digest,
        "test_data_digest": evidence.test_data_digest,
        "champion": None if champion is None else asdict(champion),
        "challenger": gate.challenger,
        "comparisons": [{**asdict(each), "words": str(each)} for each in gate.comparisons],
        "policy": {"name": gate.policy.name, "description": gate.policy.description},
        "verdicts": [document(verdict) for verdict in gate.verdicts],
    }


def write(gate: Gate, folder: Path) -> None:
    """Write the decision."""
    write_json(folder / "gate.json", as_json(gate))
    write_findings(folder, "gate", sections(gate))
    write_text(folder / "report.md", markdown(gate))


def conclude(gate: Gate, tracking: Tracking, folder: Path) -> None:
    """Log and print what was decided."""
    numbers = counts(gate.verdicts)
    tracking.metrics({f"rules_{name.replace(' ', '_')}": count for name, count in numbers.items()})
    tracking.tags({"gate": gate.decision.outcome})
    tracking.artifacts(folder, "gate")
    summary = gate.summary
    tracking.conclude(f"{summary}: {'; '.join(gate.decision.reasons)}")
    applied = [each for each in gate.verdicts if each.outcome != "not applied"]
    print(text_table(HEAD, [row(verdict) for verdict in applied]))
    for line in problems(gate.verdicts):
        print(f"  {line}")
    print(f"\n{in_short(gate.verdicts)}\n{summary}")
    for reason in gate.decision.reasons:
        print(f"  {reason}")


def main(argv: Sequence[str] | None = None) -> None:
    """Judge, decide, and log; fail on a refusal only where asked to."""
    args = parse(argv)
    with tracked() as tracking:
        gate = decided(args)
        write(gate, args.decision)
        conclude(gate, tracking, args.decision)
        if gate.decision.outcome == "refused" and args.fail_when_refused:
            raise StepError(f"the model is refused: {'; '.join(gate.decision.reasons)}")


if __name__ == "__main__":
    run(main)

"""`aml gate`: whether what a job found out about its model is what a policy wants."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from amlocal.cli import text
from amlocal.cli.arguments import Parser, Verb
from amlocal.cli.output import render_table
from amlocal.cli.session import Session, View
from amlocal.cli.terminal import Terminal
from amlocal.errors import Problem, SpecError, UsageError
from amlocal.plan import JobInfo, JobStatus
from gatekit.evidence import (
    DECISION,
    FIGURES,
    Champion,
    Evidence,
    EvidenceError,
    read_champion,
    read_evidence,
)
from gatekit.judge import Verdict, judge, refusals
from gatekit.policy import Policy, PolicyError, read_policy
from gatekit.telling import HEAD, document, in_short, problems, row

#: What steps that examine a model, and the gate, call their outputs.
_STEP_OUTPUTS = frozenset({"report", "decision"})


def _flags(parser: Parser) -> None:
    parser.add_argument(
        "--file", "-f", required=True, metavar="PATH", help="YAML file of the policy"
    )
    parser.add_argument(
        "--job", "-n", "--name", required=True, metavar="NAME", help="name of the job or step"
    )
    parser.add_argument(
        "--no-champion",
        action="store_true",
        help="there is no champion yet, so rules that compare with it do not apply",
    )


def _check(session: Session, args: argparse.Namespace) -> int:
    """Judge a job's figures; returns 0 where no required rule refuses its model, else 1."""
    if session.is_dry:
        raise UsageError("a dry run reads no jobs, so it cannot judge one")
    policy = _policy(args.file)
    job = session.client.jobs.get(args.job)
    evidence = _evidence(session, job)
    if args.no_champion:
        evidence = evidence.with_champion(Champion(None))
    verdicts = judge(policy, evidence)
    session.emit(_view(job, policy, verdicts))
    return 1 if refusals(verdicts) else 0


def _policy(file: str) -> Policy:
    try:
        return read_policy(Path(file))
    except PolicyError as error:
        problems = [
            Problem(each.message, hint=each.hint, file=each.file, line=each.line)
            for each in error.problems
        ]
        raise SpecError(problems) from error


def _evidence(session: Session, job: JobInfo) -> Evidence:
    """Read the reports of a job's steps, and what its gate knew of the champion.

    Raises:
        UsageError: No step wrote a report, or they are not of one model.
    """
    with TemporaryDirectory() as scratch:
        for folder in _downloads(session, job, Path(scratch)):
            reports = _holding(folder, FIGURES)
            if reports:
                break
        else:
            raise UsageError(
                f"no step of job {job.name} wrote figures (an output `report` with {FIGURES})",
                hint="jobs/lifecycle.yml has the steps that do",
            )
        try:
            evidence = read_evidence(reports)
            champions = [read_champion(each) for each in _holding(folder, DECISION)]
        except EvidenceError as error:
            raise UsageError(f"job {job.name}: {error.message}", hint=error.hint) from error
    return evidence.with_champion(champions[0] if champions else None)


def _downloads(session: Session, job: JobInfo, scratch: Path) -> Iterator[Path]:
    """Download what may hold reports, one place after another, each into a folder of its own.

    Outputs of the steps come first. Azure does not tell those, but the job's own, which a pipeline
    may have made of them; else the steps have uploaded their reports as artifacts.
    """
    jobs = session.client.jobs
    steps = [step for step in job.children or (job,) if step.status is JobStatus.COMPLETED]
    for step in steps:
        for name in sorted(_STEP_OUTPUTS & step.outputs.keys()):
            place = scratch / "steps" / step.name / name
            jobs.download(step.name, download_path=place, output_name=name)
    yield scratch / "steps"
    for name, output in job.outputs.items():
        if output.type == "uri_folder":
            place = scratch / "job" / name
            jobs.download(job.name, download_path=place, output_name=name)
    yield scratch / "job"
    for step in steps:
        jobs.download(step.name, download_path=scratch / "artifacts" / step.name)
    yield scratch / "artifacts"


def _holding(folder: Path, file: str) -> list[Path]:
    """Return the folders below one that hold a file."""
    return [path.parent for path in sorted(folder.rglob(file))]


def _view(job: JobInfo, policy: Policy, verdicts: Sequence[Verdict]) -> View:
    refused = refusals(verdicts)
    data = {
        "job": job.name,
        "policy": policy.name,
        "passed": not refused,
        "refusals": list(refused),
        "verdicts": [document(verdict) for verdict in verdicts],
    }
    heads = [head.capitalize() for head in HEAD]
    rows = [dict(zip(heads, map(text.clean, row(verdict)), strict=True)) for verdict in verdicts]

    def written(terminal: Terminal) -> str:
        told = [f"  {text.clean(line)}" for line in problems(verdicts)]
        word = terminal.style("REFUSED", "red") if refused else terminal.style("PASSED", "green")
        closing = f"{word} {job.name} by {policy.name}: {in_short(verdicts)}"
        return "\n".join((render_table(rows, terminal).rstrip("\n"), *told, closing, ""))

    return View(data, rows, written)


VERBS = {
    "check": Verb(
        "judge a job's model by a policy; exit 1 where it is refused",
        _flags,
        _check,
        "aml gate check -f jobs/policies/release.yml --job NAME",
    ),
}

"""`aml job`: run jobs, follow them, and look at what they did."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from amlocal.cli import compare, summary, views
from amlocal.cli.arguments import (
    ENVIRONMENTS,
    Parser,
    Verb,
    add_file,
    add_name,
    add_view,
    list_view_type,
    one_of,
    positive,
)
from amlocal.cli.reporting import reporter_for
from amlocal.cli.session import ExplainsReuse, HasWorkspace, Session
from amlocal.errors import SpecError, TargetError, UsageError
from amlocal.files import written_whole
from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.reporter import Reporter

_DEFAULT_RESULTS = 50


def _create_flags(parser: Parser) -> None:
    add_file(parser, "job")
    add_name(parser, "job", required=False)
    parser.add_argument(
        "--stream", "-s", action="store_true", help="follow it to its end; Ctrl-C cancels it"
    )
    parser.add_argument("--web", "-e", action="store_true", help="open its page in the browser")
    parser.add_argument(
        "--save-as", "-a", type=Path, metavar="PATH", help="write its state as YAML"
    )
    parser.add_argument(
        "--max-parallel", type=positive, metavar="N", help="steps side by side; the number of cores"
    )
    parser.add_argument(
        "--environment",
        type=one_of("kind of environment", ENVIRONMENTS),
        default="auto",
        metavar="{" + ",".join(ENVIRONMENTS) + "}",
        help="how a step gets its environment; auto takes the current one where that satisfies it",
    )


def _create(session: Session, args: argparse.Namespace) -> int:
    def submit(reporter: Reporter | None) -> JobInfo:
        return session.client.jobs.create_or_update(
            args.file,
            overrides=args.overrides,
            name=args.name,
            reporter=reporter,
            max_parallel=args.max_parallel,
            environment=args.environment,
        )

    if args.stream and not session.is_dry:
        job, code = _follow(session, submit)
    else:
        job, code = submit(None), 0
        for warning in job.warnings:
            session.warn(warning)
        session.emit(views.submitted_view(job))
    if args.save_as is not None:
        _save(job, args.save_as)
    if args.web and not session.is_dry:
        session.open(_page(session, job), f"job {job.name}")
    return code


def _stream(session: Session, args: argparse.Namespace) -> int:
    try:
        return _follow(session, lambda it: session.client.jobs.stream(args.name, it))[1]
    except KeyboardInterrupt:
        session.note(f"the job goes on; `aml job cancel -n {args.name}` ends it")
        raise


def _follow(session: Session, run: Callable[[Reporter], JobInfo]) -> tuple[JobInfo, int]:
    """Follow a job to its end, and print how it ended; returns it and the exit code."""
    # Where the result is data, stdout is for it alone.
    terminal = session.err if session.asks_for_data else session.out
    with reporter_for(terminal) as reporter:
        job = run(reporter)
    terminal.write(summary.ended(job, terminal))
    if session.asks_for_data:
        session.emit(views.job_view(job))
    if job.status is JobStatus.COMPLETED:
        return job, 0
    return job, TargetError.exit_code if job.error_code == "SystemError" else 1


def _save(job: JobInfo, path: Path) -> None:
    """Write a job's state, whole or not at all."""
    import yaml  # 30 ms that only --save-as pays

    text = yaml.safe_dump(views.job_data(job), sort_keys=False, allow_unicode=True)
    with written_whole(path) as file:
        file.write(text.encode())


def _page(session: Session, job: JobInfo) -> str:
    """Return the address of a job's page; a tracking server on this machine is started for it."""
    client = session.client
    server = client.workspace.up().tracking_uri if isinstance(client, HasWorkspace) else ""
    return summary.run_address(job, server)


def _file_flags(parser: Parser) -> None:
    add_file(parser, "job")


def _validate(session: Session, args: argparse.Namespace) -> int:
    try:
        job = session.client.jobs.validate(args.file, overrides=args.overrides)
    except SpecError as error:
        if session.asks_for_data:
            session.emit(views.problems_view(error.problems))
        raise
    for warning in job.warnings:
        session.warn(warning)
    session.emit(views.validation_view(job, args.file))
    return 0


def _list_flags(parser: Parser) -> None:
    parser.add_argument(
        "--max-results",
        "-r",
        type=positive,
        default=_DEFAULT_RESULTS,
        metavar="N",
        help=f"at most so many; {_DEFAULT_RESULTS}",
    )
    parser.add_argument(
        "--all-results",
        nargs="?",
        const="true",
        default="false",
        metavar="{false,true}",
        type=one_of("truth", ("true", "false")),
        help="all of them",
    )
    parser.add_argument(
        "--parent-job-name", "-p", metavar="NAME", help="the steps of this pipeline"
    )
    add_view(parser, "jobs")


def _list(session: Session, args: argparse.Namespace) -> int:
    found = session.client.jobs.list(
        parent_job_name=args.parent_job_name,
        max_results=None if args.all_results == "true" else args.max_results,
        list_view_type=list_view_type(args),
    )
    session.emit(views.jobs_view(found))
    return 0


def _name_flags(parser: Parser) -> None:
    add_name(parser, "job")


def _show_flags(parser: Parser) -> None:
    add_name(parser, "job or step")
    parser.add_argument("--web", "-e", action="store_true", help="open its page in the browser")


def _show(session: Session, args: argparse.Namespace) -> int:
    job = session.client.jobs.get(args.name)
    session.emit(views.job_view(job))
    if args.web:
        session.open(_page(session, job), f"job {job.name}")
    return 0


def _download_flags(parser: Parser) -> None:
    add_name(parser, "job or step")
    parser.add_argument(
        "--download-path", "-p", type=Path, default=Path(), metavar="PATH", help="where to; here"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--output-name", metavar="NAME", help="this output alone")
    group.add_argument("--all", action="store_true", help="every output beside logs and artifacts")


def _download(session: Session, args: argparse.Namespace) -> int:
    folder = session.client.jobs.download(
        args.name, download_path=args.download_path, output_name=args.output_name, all=args.all
    )
    session.emit(views.fact_view("download_path", folder, f"downloaded to {folder}"))
    return 0


def _cancel(session: Session, args: argparse.Namespace) -> int:
    session.emit(views.job_view(session.client.jobs.cancel(args.name)))
    return 0


def _archive(session: Session, args: argparse.Namespace) -> int:
    session.client.jobs.archive(args.name)
    session.say(f"archived job {args.name}")
    return 0


def _restore(session: Session, args: argparse.Namespace) -> int:
    session.client.jobs.restore(args.name)
    session.say(f"restored job {args.name}")
    return 0


def _explain_reuse(session: Session, args: argparse.Namespace) -> int:
    jobs = session.client.jobs
    if not isinstance(jobs, ExplainsReuse):
        raise UsageError(
            f"the {session.target} target does not tell why steps are reused",
            hint="use --target local",
        )
    session.emit(views.reuse_view(jobs.explain_reuse(args.name)))
    return 0


VERBS = {
    "create": Verb(
        "run a job",
        _create_flags,
        _create,
        "aml job create -f job.yml --set inputs.epochs=3 --stream",
    ),
    "validate": Verb(
        "check a job file without running it", _file_flags, _validate, "aml job validate -f job.yml"
    ),
    "list": Verb(
        "list jobs, the newest first",
        _list_flags,
        _list,
        "aml job list --query \"[?status=='Failed'].name\" -o tsv",
    ),
    "show": Verb(
        "show a job: its steps, metrics, inputs, outputs, and what is tracked of it",
        _show_flags,
        _show,
        "aml job show -n NAME -o json",
    ),
    "stream": Verb("follow a job to its end; Ctrl-C leaves it running", _name_flags, _stream),
    "download": Verb(
        "copy a job's outputs and logs into a folder named after it",
        _download_flags,
        _download,
        "aml job download -n NAME --output-name model",
    ),
    "cancel": Verb("end a job with all its processes", _name_flags, _cancel),
    "archive": Verb("hide a job from lists", _name_flags, _archive),
    "restore": Verb("show an archived job in lists again", _name_flags, _restore),
    "compare": Verb(
        "compare the models of jobs on the same test rows, else what the jobs logged",
        compare.flags,
        compare.compare,
        "aml job compare NAME_tune NAME_ebm --data data/adult-test.parquet",
    ),
    "explain-reuse": Verb(
        "tell why each step of a job ran or was reused", _name_flags, _explain_reuse
    ),
}

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.fakes import ClosedStream, FakeLocalClient, aml

import amlocal
from amlocal.cli.main import NOUNS, READER_LEFT, interrupt_on_termination, verbs_of
from amlocal.errors import (
    EnvironmentBuildError,
    JobFailedError,
    Problem,
    SpecError,
    TargetError,
    UsageError,
)

COMMANDS = [(noun, verb) for noun in NOUNS for verb in verbs_of(noun)]
DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


def failing(error: BaseException) -> FakeLocalClient:
    client = FakeLocalClient()
    client.jobs.error = error
    return client


@pytest.mark.parametrize(("noun", "verb"), COMMANDS)
def test_help_of_every_verb_explains_its_flags(noun: str, verb: str) -> None:
    outcome = aml(noun, verb, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"usage: aml {noun} {verb}")
    assert verbs_of(noun)[verb].summary in outcome.out
    assert "--query" in outcome.out
    assert outcome.err == ""
    assert outcome.connected == []


@pytest.mark.parametrize(("noun", "verb"), COMMANDS)
def test_every_verb_and_every_flag_is_in_the_reference(noun: str, verb: str) -> None:
    reference = DOCS.read_text(encoding="utf-8")
    assert f"`{noun} {verb}`" in reference
    flags = set(re.findall(r"--[a-z][a-z-]+", aml(noun, verb, "--help").out))
    assert not {flag for flag in flags if flag not in reference}


def test_overview_names_every_noun() -> None:
    outcome = aml("--help")
    assert outcome.code == 0
    assert all(f"  {noun} " in outcome.out for noun in NOUNS)
    assert aml().out == outcome.out
    assert aml().code == 2


def test_help_of_a_noun_lists_its_verbs() -> None:
    assert aml("job", "-h").code == 0
    assert aml("job").code == 2
    assert "explain-reuse" in aml("job").out


def test_help_wins_over_missing_flags() -> None:
    assert aml("-h", "job", "create").out == aml("job", "create", "--help").out


def test_version() -> None:
    assert aml("--version").out == f"aml {amlocal.__version__}\n"


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["jbo", "list"], "no noun 'jbo'", "did you mean 'job'?"),
        (["job", "lst"], "aml job has no verb 'lst'", "did you mean 'list'?"),
        (["job", "list", "--max-result5", "3"], "no flag '--max-result5'", "'--max-results'"),
        (["job", "create", "--fiel", "x"], "no flag '--fiel'", "did you mean '--file'?"),
        (["job", "create"], "required: --file/-f", "aml job create --help"),
        (["job", "show", "x", "-n", "y"], "'x' belongs to no flag", "-n"),
        (["job", "list", "-o", "jsn"], "no output format 'jsn'; did you mean 'json'?", ""),
        (["job", "list", "--target", "azur"], "no target 'azur'; did you mean 'azure'?", ""),
        (["--targt", "azure", "job", "list"], "'--targt' is no global flag", "'--target'"),
        (["-o", "json"], "no command was given", "aml --help"),
    ],
)
def test_a_misspelling_ends_with_2_and_what_was_meant(
    argv: list[str], message: str, hint: str
) -> None:
    outcome = aml(*argv)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert hint in outcome.err.partition("\n")[2]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobFailedError("train failed", hint="see its log"), 1),
        (UsageError("no such thing", hint="see its log"), 2),
        (TargetError("the disk is full", hint="see its log"), 3),
        (EnvironmentBuildError("no wheel", hint="see its log"), 3),
    ],
)
def test_an_error_becomes_two_lines_and_its_exit_code(
    error: UsageError | TargetError, code: int
) -> None:
    outcome = aml("job", "show", "-n", "x", client=failing(error))
    assert outcome.code == code
    assert outcome.err == f"error: {error}\nhint: see its log\n"
    assert outcome.out == ""


def test_each_problem_of_a_file_is_a_line_that_editors_can_follow() -> None:
    problems = [
        Problem("no input named 'x'", "did you mean 'y'?", file="jobs/train.yml", line=14),
        Problem("no folder 'src'", file="jobs/train.yml", line=20),
    ]
    outcome = aml("job", "create", "-f", "jobs/train.yml", client=failing(SpecError(problems)))
    assert outcome.code == 2
    assert outcome.err.splitlines() == [
        "jobs/train.yml:14: no input named 'x'; did you mean 'y'?",
        "jobs/train.yml:20: no folder 'src'",
    ]


def test_a_defect_asks_for_a_report_and_shows_no_traceback() -> None:
    outcome = aml("job", "list", client=failing(ZeroDivisionError("by zero")))
    assert outcome.code == 3
    assert outcome.err.splitlines()[0] == "error: unexpected ZeroDivisionError: by zero"
    assert "report" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("error", [ZeroDivisionError(), TargetError("x"), OSError(28, "full")])
def test_debug_shows_the_traceback(error: Exception) -> None:
    outcome = aml("job", "list", "--debug", client=failing(error))
    assert outcome.code == 3
    assert "Traceback (most recent call last)" in outcome.err


def test_a_failure_of_the_machine_is_no_defect() -> None:
    outcome = aml("job", "list", client=failing(OSError(28, "No space left on device", "/x")))
    assert outcome.code == 3
    assert "No space left on device: '/x'" in outcome.err
    assert "defect" not in outcome.err


def test_ctrl_c_ends_with_130() -> None:
    outcome = aml("job", "list", client=failing(KeyboardInterrupt()))
    assert (outcome.code, outcome.err) == (130, "\ninterrupted\n")


def test_a_reader_that_leaves_is_no_error() -> None:
    outcome = aml("job", "list", stdout=ClosedStream())
    assert (outcome.code, outcome.err) == (READER_LEFT, "")


def test_a_broken_pipe_elsewhere_is_not_mistaken_for_the_reader() -> None:
    assert aml("job", "list", client=failing(BrokenPipeError(32, "Broken pipe"))).code == 3


def test_global_flags_stand_anywhere() -> None:
    for argv in (["-o", "tsv", "job", "list"], ["job", "-o", "tsv", "list"]):
        assert aml(*argv).out == aml("job", "list", "-o", "tsv").out
    where = aml("-w", "ws", "job", "-g=rg", "list", "--target", "azure", "--subscription", "s")
    assert where.connected[0]["target"] == "azure"
    given = [where.connected[0][key] for key in ("workspace_name", "resource_group")]
    assert given == ["ws", "rg"]
    assert where.connected[0]["subscription_id"] == "s"
    assert where.connected[0]["dry_run"] is False


def test_the_target_comes_from_the_flag_then_from_the_environment() -> None:
    azure = {"AMLOCAL_TARGET": "azure"}
    assert aml("job", "list").connected[0]["target"] == "local"
    assert aml("job", "list", environ=azure).connected[0]["target"] == "azure"
    outcome = aml("job", "list", "--target", "local", environ=azure)
    assert outcome.connected[0]["target"] == "local"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_ends_a_command_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    try:
        interrupt_on_termination()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupt_on_termination()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `aml` as its own process, with colours and streams as they really are."""
    return subprocess.run(
        [sys.executable, *argv],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(amlocal.__file__).parents[1]), **environ},
        timeout=60,
    )


@pytest.mark.parametrize("argv", [["--help"], ["job", "list", "--help"], ["job"]])
def test_start_up_imports_nothing_heavy(argv: list[str]) -> None:
    script = (
        "import sys; from amlocal.cli.main import main; main(sys.argv[1:]); "
        "print('HEAVY', *sorted({'azure', 'mlflow', 'rich', 'yaml', 'jmespath', 'requests', "
        "'pandas', 'uv'} & set(sys.modules)))"
    )
    done = run("-c", script, *argv)
    assert done.stdout.splitlines()[-1] == "HEAVY"


def test_a_pipe_closed_early_leaves_no_traceback() -> None:
    script = f"{sys.executable} -m amlocal.cli --help | true"
    src = str(Path(amlocal.__file__).parents[1])
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": src},
        timeout=60,
    )
    assert done.stderr == ""


def test_a_locale_without_unicode_shows_text_all_the_same() -> None:
    script = (
        "from amlocal.cli.main import entry; import sys; sys.argv = ['aml', 'été']; "
        "raise SystemExit(entry())"
    )
    done = run("-c", script, PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert r"no noun '\xe9t\xe9'" in done.stderr

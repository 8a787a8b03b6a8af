"""The entry of `aml`: find the command, run it, and turn errors into text and exit codes.

Exit codes: 0 done; 1 the job failed or was canceled, or an endpoint answered with an error; 2 the
file or the arguments are wrong; 3 the target or the environment failed, or amlocal itself; 130
interrupted; 141 the reader of a pipe left.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import amlocal
from amlocal.cli.arguments import Verb, build, parse, split_words
from amlocal.cli.session import Session, Surroundings
from amlocal.cli.terminal import OutputClosedError, Terminal
from amlocal.errors import AmlocalError, SpecError, TargetError, UsageError, near_miss

if TYPE_CHECKING:
    from amlocal.client import Client

INTERRUPTED = 130
READER_LEFT = 141
DEFECT = 3

#: Each noun is a module of this package with its `VERBS`; only the one asked for is imported.
NOUNS = {
    "job": "run jobs, follow them, and look at what they did",
    "component": "the steps that pipelines are made of",
    "environment": "what a step needs around it",
    "data": "data assets",
    "model": "the model registry",
    "online-endpoint": "addresses that answer requests with a model's predictions",
    "online-deployment": "what serves a model behind an online endpoint",
    "batch-endpoint": "names that files are scored under, in jobs",
    "batch-deployment": "what scores files behind a batch endpoint",
    "schedule": "jobs that the workspace starts by itself",
    "gate": "whether a job's model is what a policy wants",
    "trigger": "events that start jobs",
    "workspace": "the workspace on this machine and its processes",
}

_OVERVIEW = """\
usage: aml NOUN VERB [flags]

Azure ML jobs that run anywhere: the same v2 YAML on this machine or in a workspace.

nouns:
{nouns}

flags of every command:
  --target {{local,azure}}  where it happens; AMLOCAL_TARGET, else local
  -w NAME -g NAME --subscription ID
                          the Azure ML workspace
  --dry-run               print what would be sent to Azure; do nothing
  -o FORMAT               json, jsonc, yaml, yamlc, table, tsv, none
  --query JMESPATH        print what this selects of the result
  --only-show-errors      no warnings and notes
  --debug                 show the traceback of an error
  --version               print the version
  -h, --help              explain a noun or a verb

example:
  aml job create -f jobs/lifecycle.yml --stream
"""


def entry() -> int:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A log line may hold what the locale cannot show; that must not end the job.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    interrupt_on_termination()
    code = main(sys.argv[1:])
    if code == READER_LEFT:
        # Python would flush stdout once more on its way out, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def interrupt_on_termination() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that a job's processes end too.

    A signal that is ignored (`nohup`) stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def main(
    argv: Sequence[str],
    *,
    connect: Callable[..., Client] | None = None,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    open_page: Callable[[str], object] | None = None,
) -> int:
    """Run one command line.

    Args:
        argv: The arguments after `aml`.
        connect: Returns the client; None is `amlocal.connect`.
        stdin: Where a person answers questions.
        stdout: Where results go.
        stderr: Where errors, warnings, and notes go.
        environ: The environment; None is the process's own.
        open_page: Opens an address in a browser; None is `webbrowser.open`.

    Returns:
        The exit code.
    """
    settings = os.environ if environ is None else environ
    out = Terminal(sys.stdout if stdout is None else stdout, settings)
    err = Terminal(sys.stderr if stderr is None else stderr, settings)
    try:
        surroundings = Surroundings(
            out,
            err,
            sys.stdin if stdin is None else stdin,
            settings,
            connect or _connect,
            open_page or _open_page,
        )
        return _run(argv, surroundings)
    except OutputClosedError:
        return READER_LEFT
    except KeyboardInterrupt:
        err.write("\ninterrupted\n")
        return INTERRUPTED
    except AmlocalError as error:
        if "--debug" in argv:
            _print_traceback(err)
        _print_error(error, err)
        return error.exit_code
    except OSError as error:
        if "--debug" in argv:
            _print_traceback(err)
        err.write(f"{err.style('error:', 'red')} {error}\nhint: --debug shows where it happened\n")
        return TargetError.exit_code
    except Exception as error:  # noqa: BLE001 - the last place: a defect becomes a report
        if "--debug" in argv:
            _print_traceback(err)
        err.write(
            f"{err.style('error:', 'red')} unexpected {type(error).__name__}: {error}\n"
            "hint: this is a defect of amlocal; add --debug and report what it prints\n"
        )
        return DEFECT


def _run(argv: Sequence[str], surroundings: Surroundings) -> int:
    out = surroundings.out
    words, rest = split_words(argv)
    wants_help = "-h" in rest or "--help" in rest
    if not words:
        if "--version" in rest:
            out.write(f"aml {amlocal.__version__}\n")
            return 0
        if wants_help or not rest:
            out.write(overview())
            return 0 if wants_help else UsageError.exit_code
        raise UsageError("no command was given", hint="`aml --help` lists them")
    noun = words[0]
    verbs = verbs_of(noun)
    if len(words) == 1:
        out.write(_verbs_help(noun, verbs))
        return 0 if wants_help else UsageError.exit_code
    verb = words[1]
    if verb not in verbs:
        raise UsageError(f"aml {noun} has no verb {verb!r}", hint=near_miss(verb, verbs))
    if wants_help:
        out.write(build(noun, verb, verbs[verb]).format_help())
        return 0
    args = parse(noun, verb, verbs[verb], rest)
    return verbs[verb].run(Session(args, surroundings), args)


def overview() -> str:
    """Return what `aml --help` prints."""
    return _OVERVIEW.format(nouns="\n".join(f"  {noun:<18} {NOUNS[noun]}" for noun in NOUNS))


def verbs_of(noun: str) -> Mapping[str, Verb]:
    """Return the verbs of a noun; raises UsageError where there is no such noun."""
    if noun not in NOUNS:
        raise UsageError(f"no noun {noun!r}", hint=near_miss(noun, NOUNS))
    verbs: Mapping[str, Verb] = importlib.import_module(
        f"amlocal.cli.{noun.replace('-', '_')}"
    ).VERBS
    return verbs


def _verbs_help(noun: str, verbs: Mapping[str, Verb]) -> str:
    lines = "".join(f"  {verb:<16} {verbs[verb].summary}\n" for verb in verbs)
    return f"usage: aml {noun} VERB [flags]\n\n{NOUNS[noun]}\n\nverbs:\n{lines}"


def _print_error(error: AmlocalError, err: Terminal) -> None:
    if isinstance(error, SpecError):
        # No prefix: editors and CI systems make links of `file:line:`.
        err.write("".join(f"{problem}\n" for problem in error.problems))
        return
    err.write(f"{err.style('error:', 'red')} {error}\n")
    if error.hint:
        err.write(f"{err.style('hint:', 'cyan')} {error.hint}\n")


def _print_traceback(err: Terminal) -> None:
    import traceback  # only --debug needs it

    err.write(traceback.format_exc())


def _connect(*args: Any, **fields: Any) -> Client:
    from amlocal.client import connect  # 70 ms that --help does not pay

    return connect(*args, **fields)


def _open_page(address: str) -> None:
    import webbrowser  # only --web needs it

    webbrowser.open(address)

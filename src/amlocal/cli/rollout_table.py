"""A rollout as a table: a row a stage, with the figures that it was judged on."""

from __future__ import annotations

from collections.abc import Mapping

from amlocal.cli import text
from amlocal.cli.output import plain
from amlocal.cli.session import View
from amlocal.cli.terminal import Terminal
from amlocal.plan import (
    JobStatus,
    RolloutPolicy,
    RolloutResult,
    RolloutStage,
    StageOutcome,
    StageResult,
    Verdict,
)

_CLEAR_LINE = "\r\x1b[K"
#: Columns that are there whatever the rules are, and their widths; the verdicts stand between.
_FIRST = {"Stage": 13, "Requests": 8}
_LAST = {"Time": 10, "Outcome": 11}
_GAP = 2
#: Columns that a narrow terminal goes without, the first one first.
_SPARED = ("Time", "Requests", "Agreement")
#: Of two verdicts of one column, the second one's figure has the old deployment's beside it.
_RULES = {"error rate": "Errors", "error rate over the old one's": "Errors"}
_LATENCY = " latency"
_STATES: Mapping[StageOutcome, JobStatus] = {
    "passed": JobStatus.COMPLETED,
    "proceeded": JobStatus.COMPLETED,
    "stopped": JobStatus.CANCELED,
}


def figures(verdict: Verdict) -> str:
    """Return a verdict's figure, with the old deployment's beside it where there is one."""
    if verdict.value is None:
        return "?"
    form = _milliseconds if verdict.rule.endswith(_LATENCY) else _percent
    told = form(verdict.value)
    return told if verdict.reference is None else f"{told}, {form(verdict.reference)}"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


class StageTable:
    """Writes a row when a stage ends; on a live terminal the present one is drawn over and over.

    Args:
        terminal: Where it goes.
        policy: Whose rules are the columns.
        quiet: Whether nothing is written.
    """

    def __init__(self, terminal: Terminal, policy: RolloutPolicy, *, quiet: bool) -> None:
        self._terminal = terminal
        self._quiet = quiet
        self._policy = policy
        self._stage = ""
        self._has_head = False
        self._drawn = False
        self._widths = {**_FIRST, **_columns(policy), **_LAST}
        if terminal.is_live:
            self._widths = _fitting(self._widths, terminal.width)

    def __enter__(self) -> StageTable:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave no half a line, also after Ctrl-C."""
        self._clear()

    def note(self, message: str) -> None:
        """Write the sentence."""
        self._write(f"{self._terminal.style('note:', 'cyan')} {text.clean(message)}")

    def stage_started(self, stage: RolloutStage, number: int, count: int) -> None:
        """Write the table's head before its first row; elsewhere than on a terminal, the stage."""
        self._stage = str(stage)
        if not self._has_head:
            self._has_head = True
            self._write(self._line({name: name for name in self._widths}).rstrip())
        if not self._terminal.is_live:
            self._write(f"-- stage {number} of {count}: {stage}")

    def looked(self, seconds: float, requests: int, verdicts: tuple[Verdict, ...]) -> None:
        """Draw the present row anew."""
        if self._quiet or not self._terminal.is_live:
            return
        marks = self._terminal.marks
        row = self._row(self._stage, requests, verdicts, text.clock(seconds))
        line = self._line({**row, "Outcome": f"{marks.running} judged"})
        # One column less than there is: a full line would wrap.
        clipped = text.clip(line.rstrip(), self._terminal.width - 1, marks.ellipsis)
        self._terminal.write(f"{_CLEAR_LINE}{self._terminal.style(clipped, 'bold')}")
        self._drawn = True

    def stage_ended(self, result: StageResult) -> None:
        """Write the stage's row."""
        status = _STATES.get(result.outcome, JobStatus.FAILED)
        mark, colour = self._terminal.marks.of(status)
        row = self._row(
            result.stage, result.requests, result.verdicts, text.duration(result.seconds)
        )
        ended = self._terminal.style(f"{mark} {result.outcome}", colour)
        self._write(f"{self._line({**row, 'Outcome': ''}, but='Outcome')}{ended}")

    def _row(
        self, stage: str, requests: int, verdicts: tuple[Verdict, ...], time: str
    ) -> dict[str, str]:
        found = {_column(verdict.rule): figures(verdict) for verdict in verdicts}
        return {"Stage": stage, "Requests": str(requests), **found, "Time": time}

    def _line(self, row: Mapping[str, str], *, but: str = "") -> str:
        return "".join(
            # A figure that is wider than its column moves the next one, and is not glued to it.
            text.pad(row.get(name, ""), width) + " " * _GAP
            for name, width in self._widths.items()
            if name != but
        )

    def _write(self, line: str) -> None:
        self._clear()
        if not self._quiet:
            self._terminal.write(f"{line}\n")

    def _clear(self) -> None:
        if self._drawn:
            self._terminal.write(_CLEAR_LINE)
            self._drawn = False


def _columns(policy: RolloutPolicy) -> dict[str, int]:
    """Return the columns of a policy's rules, and how wide they are."""
    widths = {_column("error rate"): 12} if policy.errors else {}
    widths |= {_column(f"p{rule.percentile:g}{_LATENCY}"): 17 for rule in policy.latencies}
    return widths | ({_column("agreement"): 9} if policy.agreement else {})


def _fitting(widths: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the columns that a line has room for."""
    kept = dict(widths)
    for name in _SPARED:
        if sum(kept.values()) + _GAP * (len(kept) - 1) > room:
            kept.pop(name, None)
    return kept


def _column(rule: str) -> str:
    return _RULES.get(rule, rule.removesuffix(_LATENCY).capitalize())


def result_view(result: RolloutResult) -> View:
    """Return what became of a rollout; its table is on the terminal already."""
    rows = [
        {
            "Stage": stage.stage,
            "Outcome": stage.outcome,
            "Requests": str(stage.requests),
            **{_column(verdict.rule): figures(verdict) for verdict in stage.verdicts},
            "Time": text.duration(stage.seconds),
        }
        for stage in result.stages
    ]
    return View(plain(result), rows, lambda terminal: _told(result, terminal))


def _told(result: RolloutResult, terminal: Terminal) -> str:
    is_done = result.outcome == "completed"
    mark, colour = terminal.marks.of(JobStatus.COMPLETED if is_done else JobStatus.FAILED)
    shares = ", ".join(f"{name} {share} %" for name, share in result.traffic.items())
    head = terminal.style(f"{mark} {result.outcome.capitalize()}", colour)
    lines = [f"{head}  {terminal.style(result.endpoint_name, 'bold')}  traffic: {shares}"]
    lines += [f"  {text.clean(line)}" for line in result.reason.splitlines()]
    old = max(result.traffic_before, key=lambda name: result.traffic_before[name])
    if is_done:
        back = f"aml online-deployment rollout --to {old} -e {result.endpoint_name}"
        lines.append(f"  to go back: {back}")
    return "".join(f"{line}\n" for line in lines)

"""A monitor's run: every signal computed, all judged together, and written.

As in Azure, where each signal is a step of its own, one that cannot be computed takes no other with
it: the run fails, and what the others found is found.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from monitorkit.request import Data, FailedSignal, Request, Signal
from monitorkit.signals import Outcome, Reader, compute
from monitorkit.verdicts import Metric, Verdict, judged, overall
from stepkit.program import StepError, write_json

#: Of a whole run.
RunVerdict: TypeAlias = Verdict | Literal["failed"]

FILE = "monitor.json"
_FORMAT = 1


@dataclass(frozen=True)
class Monitored:
    """What came of a monitor.

    Attributes:
        request: What was asked.
        outcomes: Of each signal that could be computed, judged.
        failed: The others.
    """

    request: Request
    outcomes: list[Outcome]
    failed: list[FailedSignal] = field(default_factory=list)

    @property
    def metrics(self) -> list[Metric]:
        """Those of all signals."""
        return [metric for outcome in self.outcomes for metric in outcome.metrics]

    @property
    def breaches(self) -> list[Metric]:
        """Those that breach."""
        return [metric for metric in self.metrics if metric.verdict == "breach"]

    @property
    def tested(self) -> int:
        """Metrics with a p-value, over which the significance is controlled."""
        return sum(metric.adjusted_p_value is not None for metric in self.metrics)

    @property
    def verdict(self) -> RunVerdict:
        """Of all signals; a breach is one whatever the others are, and else all must be known."""
        found = overall(metric.verdict for metric in self.metrics)
        return "failed" if self.failed and found != "breach" else found

    @property
    def error(self) -> str:
        """Why signals could not be computed, the first line unindented; empty where all were."""
        if len(self.failed) == 1:
            return self.failed[0].error
        head = f"{len(self.failed)} of {len(self.outcomes) + len(self.failed)} signals failed:"
        lines = [line for each in self.failed for line in each.error.splitlines()]
        return "\n".join([head, *(f"  {line}" for line in lines)]) if self.failed else ""


def monitor(request: Request, reader: Reader | None = None) -> Monitored:
    """Compute every signal, and judge all of their metrics together.

    Args:
        request: What is asked.
        reader: What gives the rows; None reads them where the request says.

    Signals fail whose data cannot be read, or do not fit what is asked.
    """
    reader = reader or Reader(request)
    outcomes, failed = [], list(request.failed)
    for signal in request.signals:
        came = _tried(signal, request, reader)
        if isinstance(came, FailedSignal):
            failed.append(came)
        else:
            outcomes.append(came)
    metrics = judged([metric for each in outcomes for metric in each.metrics], request.significance)
    found, begin = [], 0
    for outcome in outcomes:
        end = begin + len(outcome.metrics)
        found.append(replace(outcome, metrics=metrics[begin:end]))
        begin = end
    return Monitored(request, found, failed)


def _tried(signal: Signal, request: Request, reader: Reader) -> Outcome | FailedSignal:
    try:
        return compute(signal, request, reader)
    except StepError as error:
        said, place = str(error), f"signal {signal.name!r}: "
        told = said if said.startswith(place) else f"{place}{said}"
        return FailedSignal(signal.name, signal.type, told)


def write_monitored(monitored: Monitored, folder: Path) -> None:
    """Write `monitor.json`: every metric with value, threshold, p-value, sample, and verdict."""
    write_json(folder / FILE, document(monitored))


def document(monitored: Monitored) -> dict[str, Any]:
    """Return what `monitor.json` says."""
    request = monitored.request
    return {
        "format": _FORMAT,
        "name": request.name,
        "now": request.now.isoformat(),
        "verdict": monitored.verdict,
        "breaches": len(monitored.breaches),
        "significance": request.significance,
        "tested": monitored.tested,
        "signals": [_signal(outcome, request) for outcome in monitored.outcomes],
        "failed": [asdict(signal) for signal in monitored.failed],
    }


def _signal(outcome: Outcome, request: Request) -> dict[str, Any]:
    signal = outcome.signal
    reference = None
    if outcome.reference is not None and signal.reference is not None:
        reference = _data(signal.reference, request, outcome.reference.seen, outcome.reference.kept)
    return {
        "name": signal.name,
        "type": signal.type,
        "verdict": overall(metric.verdict for metric in outcome.metrics),
        "production": _data(
            signal.production, request, outcome.production.seen, outcome.production.kept
        ),
        "reference": reference,
        "notes": outcome.notes,
        "metrics": [
            {name: value for name, value in asdict(metric).items() if name != "signal"}
            for metric in outcome.metrics
        ],
    }


def _data(data: Data, request: Request, seen: int, kept: int) -> dict[str, Any]:
    window = data.window(request.now)
    return {
        "path": data.path,
        "begin": window.begin.isoformat() if window.begin else None,
        "end": window.end.isoformat() if window.end else None,
        "rows": seen,
        "sample": kept,
    }

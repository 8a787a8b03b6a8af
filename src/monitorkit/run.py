"""A monitor's run: every signal computed, all judged together, and written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from monitorkit.request import Data, Request
from monitorkit.signals import Outcome, Reader, compute
from monitorkit.verdicts import Metric, Verdict, judged, overall
from stepkit.program import write_json

FILE = "monitor.json"
_FORMAT = 1


@dataclass(frozen=True)
class Monitored:
    """What came of a monitor.

    Attributes:
        request: What was asked.
        outcomes: Of each signal, judged.
    """

    request: Request
    outcomes: list[Outcome]

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
    def verdict(self) -> Verdict:
        """Of all signals."""
        return overall(metric.verdict for metric in self.metrics)


def monitor(request: Request, reader: Reader | None = None) -> Monitored:
    """Compute every signal, and judge all of their metrics together.

    Args:
        request: What is asked.
        reader: What gives the rows; None reads them where the request says.

    Raises:
        StepError: Data cannot be read, or do not fit what is asked.
    """
    reader = reader or Reader(request)
    outcomes = [compute(signal, request, reader) for signal in request.signals]
    metrics = judged([metric for each in outcomes for metric in each.metrics], request.significance)
    found, begin = [], 0
    for outcome in outcomes:
        end = begin + len(outcome.metrics)
        found.append(replace(outcome, metrics=metrics[begin:end]))
        begin = end
    return Monitored(request, found)


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

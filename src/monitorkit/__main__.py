"""`python -m monitorkit --request FILE --out FOLDER`: one run of a monitor.

The folder gets `monitor.json`, `report.md` with its plots, and `findings.json`; MLflow the metrics,
where `MLFLOW_TRACKING_URI` is set. Exit codes: 0 done, whether or not there is a breach; 1 a signal
could not be computed, while what the others found is written; 2 the request is wrong. The reason is
the last thing on stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from monitorkit.report import tracking_metrics, write_report
from monitorkit.request import WrongRequestError, read_request
from monitorkit.run import Monitored, monitor, write_monitored
from stepkit.program import StepError, text_table
from stepkit.tracking import tracked


def main(argv: Sequence[str] | None = None) -> int:
    """Read the request, run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitorkit", description="A monitor's run.")
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    try:
        request = read_request(options.request)
        monitored = monitor(request)
        with tracked() as run:
            write_report(monitored, options.out)
            run.metrics(tracking_metrics(monitored))
            run.artifacts(options.out, "monitor")
            run.conclude(conclusion(monitored))
        # Last, so that who finds it finds the rest.
        write_monitored(monitored, options.out)
    except WrongRequestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except StepError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_said(monitored))
    if monitored.failed:
        sys.stdout.flush()
        print(f"error: {monitored.error}", file=sys.stderr)
        return 1
    return 0


def conclusion(monitored: Monitored) -> str:
    """Return in a line what came of a monitor."""
    breaches, count = monitored.breaches, len(monitored.metrics)
    said = f"{monitored.verdict}: {count} metrics, no breach"
    if breaches:
        named = ", ".join(f"{each.metric} {each.feature}".strip() for each in breaches[:5])
        said = f"breach: {len(breaches)} of {count} metrics: {named}"
    failed = ", ".join(signal.name for signal in monitored.failed)
    return f"{said}; not computed: {failed}" if failed else said


def _said(monitored: Monitored) -> str:
    rows = [
        (
            metric.verdict,
            metric.signal,
            metric.feature,
            metric.metric,
            "" if metric.value is None else f"{metric.value:.4g}",
            f"{metric.threshold:.4g}",
            "" if metric.adjusted_p_value is None else f"{metric.adjusted_p_value:.2g}",
        )
        for metric in monitored.breaches
    ]
    head = ("verdict", "signal", "feature", "metric", "value", "threshold", "adjusted p")
    return "\n".join([conclusion(monitored), *([text_table(head, rows)] if rows else [])])


if __name__ == "__main__":
    sys.exit(main())

"""The report of a monitor: words, tables, plots; findings for the report of a model; metrics."""

from __future__ import annotations

from pathlib import Path

from monitorkit.plots import plot_distributions
from monitorkit.request import FailedSignal, Signal
from monitorkit.run import Monitored
from monitorkit.signals import Outcome
from monitorkit.verdicts import Metric, overall
from stepkit.findings import Block, Picture, Section, Table, write_findings
from stepkit.program import write_text

_HEAD = (
    "verdict",
    "feature",
    "metric",
    "value",
    "threshold",
    "reference",
    "adjusted p",
    "rows",
    "note",
)
_FORMATS = {
    "value": ".4g",
    "threshold": ".4g",
    "reference": ".4g",
    "adjusted p": ".2g",
    "rows": ",d",
}
_VERDICTS = {"breach": "bad", "ok": "good", "insufficient": "warning", "failed": "bad"}
#: What MLflow takes in a metric's name, beside letters and digits.
_IN_NAMES = "_-. /"


def write_report(monitored: Monitored, folder: Path) -> None:
    """Write `report.md`, the plots, and `findings.json`.

    Args:
        monitored: What came of the monitor.
        folder: Made where missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = [_summary(monitored)]
    for outcome in monitored.outcomes:
        blocks: list[Block] = [_table(outcome.metrics)] if outcome.metrics else []
        drawn = None
        if outcome.signal.type in ("data_drift", "prediction_drift"):
            drawn = plot_distributions(outcome, folder)
        if drawn is not None:
            blocks.append(Picture(drawn[0], f"Distributions now and before: {', '.join(drawn[1])}"))
        sections.append(_section(outcome, monitored, blocks))
    sections += [
        Section(_title(signal), [f"Failed: {signal.error}"], [], "bad")
        for signal in monitored.failed
    ]
    write_findings(folder, "monitor", sections)
    write_text(folder / "report.md", _markdown(monitored.request.name, sections))


def _summary(monitored: Monitored) -> Section:
    request, breaches = monitored.request, monitored.breaches
    said = {
        "breach": f"{len(breaches)} of {len(monitored.metrics)} metrics breach.",
        "ok": f"None of {len(monitored.metrics)} metrics breaches.",
        "insufficient": "There are too few rows to tell.",
        "failed": f"None of {len(monitored.metrics)} metrics breaches, but not all are known.",
    }[monitored.verdict]
    if monitored.failed:
        named = ", ".join(signal.name for signal in monitored.failed)
        said += f" Signals that could not be computed: {named}."
    rule = (
        "A metric breaches where it is beyond its threshold and chance does not explain it: over "
        f"the {monitored.tested} tested metrics together, the chance of a false breach is at most "
        f"{request.significance:.1%} (Holm)."
    )
    words = [f"{said} The monitor ran as of {request.now:%Y-%m-%d %H:%M} UTC.", rule]
    blocks = [_table(breaches, with_signal=True)] if breaches else []
    return Section("Monitor", words, blocks, _VERDICTS[monitored.verdict])  # type: ignore[arg-type]


def _section(outcome: Outcome, monitored: Monitored, blocks: list[Block]) -> Section:
    signal, now = outcome.signal, monitored.request.now
    words = []
    if outcome.signal.type != "custom":
        words.append(
            f"Production: {outcome.production.seen:,d} rows, {signal.production.window(now)}."
        )
    if outcome.reference is not None and signal.reference is not None:
        before = signal.reference.window(now)
        words.append(f"Reference: {outcome.reference.seen:,d} rows, {before}.")
    words += [f"Note: {note}." for note in outcome.notes]
    verdict = overall(metric.verdict for metric in outcome.metrics)
    return Section(_title(signal), words, blocks, _VERDICTS[verdict])  # type: ignore[arg-type]


def _title(signal: Signal | FailedSignal) -> str:
    return f"{signal.name} ({signal.type.replace('_', ' ')})"


def _table(metrics: list[Metric], *, with_signal: bool = False) -> Table:
    ranked = sorted(metrics, key=lambda each: ("breach", "insufficient", "ok").index(each.verdict))
    rows = []
    for each in ranked:
        before, p_value = each.reference_value, each.adjusted_p_value
        row = (
            *(each.verdict, each.feature, each.metric, each.value, each.threshold),
            *(before, p_value, each.rows, each.note),
        )
        rows.append((each.signal, *row) if with_signal else row)
    return Table(("signal", *_HEAD) if with_signal else _HEAD, rows, _FORMATS)


def _markdown(name: str, sections: list[Section]) -> str:
    lines = [f"# {name}", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for words in section.words:
            lines += [words, ""]
        for block in section.blocks:
            if isinstance(block, Table):
                lines += [block.markdown(), ""]
            elif isinstance(block, Picture):
                lines += [f"![{block.alt}]({block.file})", ""]
    return "\n".join(lines)


def tracking_metrics(monitored: Monitored) -> dict[str, float]:
    """Return the values by names that MLflow takes: `SIGNAL.METRIC` or `SIGNAL.METRIC.FEATURE`.

    `breaches` is how many metrics breach, `insufficient` of how many nothing can be told, and
    `failed` how many signals could not be computed.
    """
    found = {_name(each): each.value for each in monitored.metrics if each.value is not None}
    found["breaches"] = float(len(monitored.breaches))
    verdicts = [each.verdict for each in monitored.metrics]
    found["insufficient"] = float(verdicts.count("insufficient"))
    found["failed"] = float(len(monitored.failed))
    return found


def _name(metric: Metric) -> str:
    name = ".".join(filter(None, (metric.signal, metric.metric, metric.feature)))
    return "".join(each if each.isalnum() or each in _IN_NAMES else "_" for each in name)

"""What a profile comes to, in words, tables, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from profile_figures import QUANTILES, batches, best, threads_text
from profile_plots import distribution
from profile_results import Profile
from profile_serving_findings import ms, serving_section
from profile_statistics import needed_for
from profile_timing import SLOW_TIMES, Latency

from stepkit.figures import Figure
from stepkit.findings import Cell, Chart, Line, Section, Table

Verdict = Literal["good", "warning", "bad", ""]

#: Repeats that vary more than this are unsteady.
UNSTEADY = 0.1
#: Shares of the time that calls wait for a core: on a busy machine, and on one too busy to tell.
BUSY, TOO_BUSY = 0.05, 0.25


def sections(found: Profile) -> list[Section]:
    """Return the parts of the report."""
    made = [_speed(found), _throughput(found), _memory(found)]
    if found.serving:
        made.append(serving_section(found, found.serving))
    elif found.not_served:
        words = [
            "The model could not be put behind the scoring server, as an endpoint would: "
            f"{found.not_served}."
        ]
        made.append(Section("Behind an endpoint", words, verdict="bad"))
    return made


def conclusion(found: Profile, made: Sequence[Figure]) -> str:
    """Return what came of it, in a line."""
    said = [f"one row {ms(found.timing.row.quantile(0.5))}"]
    p99 = found.timing.row.quantile(0.99)
    if p99:
        said.append(f"p99 {p99.value * 1000:.3g} ms")
    for each in made:
        if each.name == "latency_row_ratio" and each.value is not None:
            said.append(f"{each.value:.2f} times the champion's")
        if each.name == "saturation_rps" and each.value is not None:
            said.append(f"keeps up with {each.value:,.0f} requests/s")
        if each.name == "instances" and each.value is not None:
            said.append(f"instances: {each.value:.0f}")
    said.append(f"{best(found.timing.throughput).rate.value:,.0f} rows/s in batches")
    said.append(f"{found.soak.peak:,.0f} MB at most")
    if (waiting := found.timing.row.waiting) > BUSY:
        said.append(f"on a busy machine ({waiting:.0%} of the time without a core)")
    faults = []
    if found.slow.are_there:
        faults.append(f"SLOW CALLS: {found.slow.why}")
    if found.growth.verdict == "leak" and found.growth.per_1000:
        faults.append(f"MEMORY LEAK: {found.growth.per_1000.value:.3g} MB per 1,000 calls")
    return "; ".join([*faults, ", ".join(said)])


def _speed(found: Profile) -> Section:
    row, batch, slow = found.timing.row, found.timing.batch, found.slow
    words = [
        f"A prediction of one row took {ms(row.quantile(0.5))} in the middle (p50): half of the "
        f"{len(row.seconds):,} calls were faster. {_tail_words(row)} A batch of {batch.rows:,} "
        f"rows took {ms(batch.quantile(0.5))}. The ranges in brackets hold the true value in 95 "
        "of 100 such measurements; where there were too few calls for one, it says insufficient.",
        _slow_words(found),
        _steady_words(found),
    ]
    if rival := found.timing.rival:
        words.append(
            f"The champion (version {rival.version}) was measured by turns with this model, so "
            "that what else the machine did met both: see the table."
        )
    return Section(
        "How long a prediction takes",
        words,
        [
            _quantile_table(found),
            _latency_chart(found),
        ],
        verdict="bad" if slow.are_there else "warning" if _is_doubtful(found) else "good",
    )


def _tail_words(row: Latency) -> str:
    p99 = row.quantile(0.99)
    if p99:
        return f"99 of 100 took at most {ms(p99)} (p99)."
    return f"For the slowest of 100 (p99) it takes {needed_for(0.99)} calls: give more seconds."


def _slow_words(found: Profile) -> str:
    slow = found.slow
    if slow.are_there:
        return (
            f"Some calls are far slower than the others: {slow.why}. What the calls waited for "
            "the machine is not in that, so it is the model, and callers will feel it."
        )
    high = f"{slow.share.high:.1%}" if slow.share.high is not None else "?"
    return (
        f"{slow.share.value:.1%} of the calls took more than {SLOW_TIMES:g} times the median; "
        f"with {slow.share.sample:,} calls it is at most {high}. That is no sign of slow calls."
    )


def _is_doubtful(found: Profile) -> bool:
    """Return whether there were too few calls, on too busy a machine, or unsteady ones."""
    row = found.timing.row
    steady = row.steadiness()
    if steady is None or row.quantile(0.99) is None or row.waiting > TOO_BUSY:
        return True
    return steady.variation > UNSTEADY and row.waiting <= BUSY


def _steady_words(found: Profile) -> str:
    steady, waiting = found.timing.row.steadiness(), found.timing.row.waiting
    busy = (
        f" The calls waited {waiting:.0%} of their time for a core, since the machine had other "
        "things to do; without these waits half of them would have taken at most "
        f"{np.median(found.timing.row.own) * 1000:.3g} ms."
        if waiting > BUSY
        else ""
    )
    if steady is None:
        return "There were too few calls to say how steady times are." + busy
    return (
        f"From part to part of the measurement the median varied by {steady.variation:.0%} "
        f"(coefficient of variation), and moved by {steady.drift.value:+.0%} from its beginning "
        f"to its end.{busy}"
    )


def _quantile_table(found: Profile) -> Table:
    rows: list[list[Cell]] = []
    timing, rival = found.timing, found.timing.rival
    measured = [("model", timing.row), ("model", timing.batch)]
    if rival:
        measured += [("champion", rival.row), ("champion", rival.batch)]
    for name, latency in measured:
        for label, q in QUANTILES.items():
            value = latency.quantile(q)
            told: list[Cell] = [None, None, None]
            if value:
                bounds = [value.value, value.low, value.high]
                told = [None if each is None else each * 1000 for each in bounds]
            note = "" if value else f"insufficient: needs {needed_for(q)} calls"
            rows.append([name, latency.rows, label, *told, len(latency.seconds), note])
    head = ["of", "rows a call", "figure", "ms", "from", "to", "calls", "note"]
    formats = dict.fromkeys(("ms", "from", "to"), ".3g") | {"calls": ",d", "rows a call": ",d"}
    return Table(head, rows, formats, caption="Time of a call, with 95 % intervals")


def _latency_chart(found: Profile) -> Chart:
    timing = found.timing
    shown = {"one row": timing.row, f"{timing.batch.rows:,} rows": timing.batch}
    if timing.rival:
        shown["one row, champion"] = timing.rival.row
    lines = []
    for name, latency in shown.items():
        x, y = distribution(latency.seconds)
        lines.append(Line(name, x.tolist(), y.tolist(), style="step"))
    return Chart(
        lines,
        "milliseconds a call",
        "share of calls that took at most as long",
        caption="Distribution of the time of a call",
        log_x=True,
    )


def _throughput(found: Profile) -> Section:
    points = found.timing.throughput
    top = best(points)
    words = [
        f"In {batches(top.rows)} with {threads_text(top.threads)} the model predicted "
        f"{top.rate.value:,.0f} rows a second, the most of all that was tried. A million rows "
        f"take {1e6 / top.rate.value:,.0f} s that way. 1,000 rows one by one take "
        f"{found.timing.row.cpu_per_1000():.3g} s of a core."
    ]
    lines = []
    for threads in dict.fromkeys(each.threads for each in points):
        own = [each for each in points if each.threads == threads]
        lines.append(
            Line(
                threads_text(threads),
                [each.rows for each in own],
                [each.rate.value for each in own],
                [each.rate.low for each in own],
                [each.rate.high for each in own],
            )
        )
    rows: list[list[Cell]] = [
        [each.threads, each.rows, each.rate.value, each.rate.low, each.rate.high, each.rate.sample]
        for each in points
    ]
    head = ["threads", "rows a call", "rows/s", "from", "to", "calls"]
    formats = dict.fromkeys(("rows/s", "from", "to"), ",.0f") | {"rows a call": ",d"}
    return Section(
        "How many rows a second",
        words,
        [
            Chart(lines, "rows of a batch", "rows/s", "Throughput over batch size", log_x=True),
            Table(head, rows, formats),
        ],
    )


def _memory(found: Profile) -> Section:
    growth, soak, timing = found.growth, found.soak, found.timing
    start = sorted(found.starts)[len(found.starts) // 2]
    words = [
        f"A fresh process has the model ready after {start:.1f} s; of that the load itself takes "
        f"{timing.load_seconds * 1000:.3g} ms, and Python and its packages the rest. The model's "
        f"files have {found.size_bytes / 1e6:.3g} MB. The process uses {growth.steady:,.0f} MB "
        f"while it predicts, {soak.peak:,.0f} MB at most.",
        _growth_words(found),
    ]
    chart = Chart(
        [Line("memory", soak.calls.tolist(), soak.mb.tolist())],
        "single rows predicted",
        "MB",
        caption="Memory while the model predicts on and on",
    )
    verdicts: dict[str, Verdict] = {"leak": "bad", "none": "good", "insufficient": "warning"}
    verdict = verdicts[growth.verdict]
    return Section("Start and memory", words, [chart], verdict=verdict)


def _growth_words(found: Profile) -> str:
    growth, calls = found.growth, found.soak.calls[-1]
    if growth.per_1000 is None or growth.least is None:
        return (
            f"Whether memory grows cannot be told from {calls:,.0f} calls: "
            "insufficient, give more seconds."
        )
    if growth.verdict == "leak":
        low, high = growth.per_1000.low or 0.0, growth.per_1000.high or 0.0
        return (
            f"Memory leaks: it grows by {growth.per_1000.value:.3g} MB with every 1,000 "
            f"predictions ({low:.3g} to {high:.3g}), steadily and after the warm-up. A process "
            "that serves this model ends by itself some day."
        )
    return (
        f"Over {calls:,.0f} predictions memory did not go on growing. A leak of less than "
        f"{growth.least:.3g} MB per 1,000 predictions would not have been seen."
    )

"""The figures that a profile comes to, as the gate and the report read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from profile_results import Profile, Rival, Serving
from profile_saturation import Level
from profile_statistics import Comparison, Estimate, compare, needed_for
from profile_timing import Latency, Throughput

from stepkit.figures import Against, Figure

Better = Literal["more", "less"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
MB = 1e6


def figure(
    name: str,
    found: Estimate | None,
    *,
    unit: str = "",
    scale: float = 1.0,
    better: Better | None = "less",
    sample: int = 0,
    cohort: str = "",
    note: str = "",
    against: Against | None = None,
) -> Figure:
    """Return a figure about processing from an estimate.

    Args:
        name: The figure's.
        found: None where the sample is insufficient; `note` then says why.
        unit: Of the value.
        scale: What value and bounds are multiplied by.
        better: Whether more or less of it is better.
        sample: How many measurements there were, where there is no estimate.
        cohort: The part that it is of.
        note: What a reader must know.
        against: The champion's.
    """
    if found is None:
        note = note or f"insufficient: {sample} measurements"
        return Figure(name, "processing", None, better, sample, unit=unit, cohort=cohort, note=note)
    low, high = (None if bound is None else bound * scale for bound in (found.low, found.high))
    return Figure(
        name=name,
        area="processing",
        value=found.value * scale,
        better=better,
        sample=found.sample,
        low=low,
        high=high,
        unit=unit,
        cohort=cohort,
        note=note,
        against=against,
    )


def figures(found: Profile) -> list[Figure]:
    """Return all figures, in the order to be read in."""
    return [
        *_latency(found),
        *_stability(found),
        *_throughput(found),
        *_start(found),
        *_memory(found),
        *(_serving(found.serving) if found.serving else _unserved(found)),
    ]


def _latency(found: Profile) -> list[Figure]:
    timing, rival = found.timing, found.timing.rival
    made = []
    for name, latency, other in (
        ("row", timing.row, rival.row if rival else None),
        ("batch", timing.batch, rival.batch if rival else None),
    ):
        for label, q in QUANTILES.items():
            compared = compared_with(latency, other, q) if other else None
            made.append(
                figure(
                    f"latency_{name}_{label}_ms",
                    latency.quantile(q),
                    unit="ms",
                    scale=1000,
                    sample=len(latency.seconds),
                    note=_insufficient(len(latency.seconds), q) or _calls(latency),
                    against=_against(rival, compared, latency, other, q),
                )
            )
        compared = compared_with(latency, other, 0.5) if other else None
        if compared and rival:
            note = f"median of the model divided by that of the champion, version {rival.version}"
            made.append(figure(f"latency_{name}_ratio", compared.ratio, note=note))
    made.append(
        figure(
            "cpu_s_per_1000",
            Estimate(timing.row.cpu_per_1000(), len(timing.row.seconds)),
            unit="s",
            note="single rows",
            against=_simple(
                rival, timing.row.cpu_per_1000(), rival.row.cpu_per_1000() if rival else 0.0
            ),
        )
    )
    per_row = Estimate(timing.batch.cpu_per_1000(), len(timing.batch.seconds))
    cohort = f"batch={timing.batch.rows}"
    made.append(figure("cpu_s_per_1000", per_row, unit="s", cohort=cohort))
    return made


def compared_with(latency: Latency, other: Latency, q: float) -> Comparison:
    """Compare a quantile with the champion's, measured in the same rounds."""
    return compare(latency.by_round, other.by_round, q)


def _against(
    rival: Rival | None,
    compared: Comparison | None,
    latency: Latency,
    other: Latency | None,
    q: float,
) -> Against | None:
    if not rival or not compared or not other or not latency.quantile(q) or not other.quantile(q):
        return None
    between = compared.difference
    return Against(
        version=rival.version,
        value=float(np.quantile(other.seconds, q)) * 1000,
        difference=between.value * 1000,
        low=None if between.low is None else between.low * 1000,
        high=None if between.high is None else between.high * 1000,
    )


def _simple(rival: Rival | None, ours: float, theirs: float) -> Against | None:
    return Against(rival.version, theirs, ours - theirs) if rival else None


def _insufficient(sample: int, q: float) -> str:
    needed = needed_for(q)
    if sample >= needed:
        return ""
    return f"insufficient: {sample} measurements, p{q * 100:.0f} needs {needed}"


def _calls(latency: Latency) -> str:
    return "" if latency.rows == 1 else f"batches of {latency.rows:,} rows"


def _stability(found: Profile) -> list[Figure]:
    calls = len(found.timing.row.seconds)
    steady = found.timing.row.steadiness()
    repeats = f"medians of {len(steady.medians)} consecutive parts" if steady else ""
    few = "" if steady else f"insufficient: {calls} calls for repeats"
    waiting = Estimate(max(found.timing.row.waiting, 0.0), calls)
    return [
        figure("slow_call_share", found.slow.share, note=found.slow.why),
        figure(
            "tail_ratio",
            found.slow.tail_ratio,
            sample=calls,
            note=_insufficient(calls, 0.99) or "p99 divided by p50, without waits for a core",
        ),
        figure(
            "latency_repeat_cv",
            Estimate(steady.variation, len(steady.medians)) if steady else None,
            sample=calls,
            note=few or repeats,
        ),
        figure(
            "latency_drift",
            steady.drift if steady else None,
            better=None,
            sample=calls,
            note=few or f"{repeats}: change from the first to the last, as a share",
        ),
        figure(
            "machine_wait_share",
            waiting,
            note="of the calls' time, how much they waited for a core: other programs' doing",
        ),
    ]


def best(points: Sequence[Throughput]) -> Throughput:
    """Return the point with the most rows a second."""
    return max(points, key=lambda each: each.rate.value)


def _throughput(found: Profile) -> list[Figure]:
    points = found.timing.throughput
    top = best(points)
    made = [
        figure(
            "throughput_rows_s",
            top.rate,
            unit="rows/s",
            better="more",
            note=f"{batches(top.rows)}, {threads_text(top.threads)}",
        )
    ]
    for threads in dict.fromkeys(each.threads for each in points):
        each = best([point for point in points if point.threads == threads])
        made.append(
            figure(
                "throughput_rows_s",
                each.rate,
                unit="rows/s",
                better="more",
                cohort=f"threads={threads}",
                note=batches(each.rows),
            )
        )
    return made


def batches(rows: int) -> str:
    """Return a batch size in words."""
    return f"batches of {rows:,} row" + ("s" if rows > 1 else "")


def threads_text(threads: int) -> str:
    """Return a number of threads in words."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def _start(found: Profile) -> list[Figure]:
    timing, rival = found.timing, found.timing.rival
    start = float(np.median(found.starts))
    spread = f"median of {len(found.starts)} fresh processes, {min(found.starts):.1f} to "
    spread += f"{max(found.starts):.1f} s"
    size = found.size_bytes / MB
    load = Estimate(timing.load_seconds, 1)
    imports = Estimate(max(0.0, timing.starts[0] - timing.load_seconds), 1)
    return [
        figure(
            "cold_load_s",
            Estimate(start, len(found.starts)),
            unit="s",
            note=spread,
            against=_simple(rival, start, rival.start_seconds if rival else 0.0),
        ),
        figure(
            "cold_import_s", imports, unit="s", note="of the first process: Python and packages"
        ),
        figure("cold_read_s", load, unit="s", note="the load alone, once packages are imported"),
        figure(
            "first_prediction_ms",
            Estimate(timing.first_seconds, 1),
            unit="ms",
            scale=1000,
            note="the first of a process",
        ),
        figure(
            "model_size_mb",
            Estimate(size, 1),
            unit="MB",
            against=_simple(rival, size, rival.size_bytes / MB if rival else 0.0),
        ),
    ]


def _memory(found: Profile) -> list[Figure]:
    growth, soak = found.growth, found.soak
    looks = len(soak.calls)
    if growth.per_1000 is None:
        note = f"insufficient: {soak.calls[-1]:,.0f} calls; give more seconds"
    else:
        note = f"{growth.calls:,} calls after the warm-up; {growth.least:.3g} would have been seen"
    leak = None if growth.per_1000 is None else Estimate(float(growth.verdict == "leak"), looks)
    return [
        figure("peak_memory_mb", Estimate(soak.peak, looks), unit="MB", note="of the process"),
        figure("steady_memory_mb", Estimate(growth.steady, looks), unit="MB"),
        figure("memory_slope_mb_per_1000", growth.per_1000, unit="MB", sample=looks, note=note),
        figure("memory_leak", leak, sample=looks, note=f"1 for a leak, 0 for none; {note}"),
    ]


def _serving(found: Serving) -> list[Figure]:
    held, lost, steady = (
        found.saturation.held,
        found.saturation.lost,
        found.saturation.steady,
    )
    made = [
        _saturation(held, lost),
        *(_served(steady) if steady else ()),
        figure("server_start_s", Estimate(found.start_seconds, 1), unit="s"),
        figure("server_memory_mb", Estimate(found.memory_mb, 1), unit="MB", note="after the load"),
        figure("server_cpu_s_per_1000", Estimate(found.cpu_per_1000, 1), unit="s"),
    ]
    if sizing := found.sizing:
        value = None if sizing.instances is None else Estimate(sizing.instances, 1)
        note = f"for {sizing.wanted_rate:g} requests/s: {sizing.why}"
        made.append(figure("instances", value, note=note))
    return made


def _saturation(held: Level | None, lost: Level | None) -> Figure:
    if held is None:
        note = "insufficient: no rate was surely kept up with; give more seconds"
        return figure("saturation_rps", None, unit="requests/s", better="more", note=note)
    high = max(lost.rate, held.achieved) if lost else None
    note = (
        "between the highest rate that was kept up with and the lowest that was not"
        if lost
        else "at least: every rate that was tried was kept up with"
    )
    value = Estimate(held.achieved, held.requests, held.achieved, high)
    return figure("saturation_rps", value, unit="requests/s", better="more", note=note)


def _served(level: Level) -> list[Figure]:
    made = []
    for label, q in QUANTILES.items():
        found: Estimate | None = getattr(level, label)
        at = f"at {level.rate:,.0f} requests/s"
        note = at if found else f"{_insufficient(level.requests - level.errors, q)}; {at}"
        sample = level.requests - level.errors
        name = f"served_{label}_ms"
        made.append(figure(name, found, unit="ms", scale=1000, sample=sample, note=note))
    errors = Estimate(level.errors / level.requests, level.requests)
    made.append(figure("served_error_share", errors))
    return made


def _unserved(found: Profile) -> list[Figure]:
    if not found.not_served:
        return []
    note = f"not served: {found.not_served}"
    return [figure("saturation_rps", None, unit="requests/s", better="more", note=note)]

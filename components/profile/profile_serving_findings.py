"""What the scoring server did under load, in words, a table, and a chart."""

from __future__ import annotations

from profile_figures import QUANTILES, threads_text
from profile_results import Profile, Serving
from profile_saturation import Level, Saturation
from profile_statistics import Estimate

from stepkit.findings import Cell, Chart, Line, Section, Table


def ms(found: Estimate | None) -> str:
    """Return a time in seconds as milliseconds with its bounds, or that there were too few."""
    if found is None:
        return "insufficient"
    bounds = (
        f" ({found.low * 1000:.3g} to {found.high * 1000:.3g})"
        if found.low is not None and found.high is not None
        else ""
    )
    return f"{found.value * 1000:.3g} ms{bounds}"


def serving_section(found: Profile, serving: Serving) -> Section:
    """Return what the scoring server did under load."""
    is_short = bool(serving.sizing and serving.sizing.instances is None)
    return Section(
        "Behind an endpoint",
        _words(found, serving),
        [
            *_chart(serving.saturation),
            _table(serving.saturation),
        ],
        verdict="warning" if is_short or serving.saturation.held is None else "good",
    )


def _words(found: Profile, serving: Serving) -> list[str]:
    words = [_saturation_words(serving)]
    if steady := serving.saturation.steady:
        words.append(
            f"At {steady.rate:,.0f} requests a second half of the answers were there after "
            f"{ms(steady.p50)}, {_tail(steady)}, counted from when a request was due; "
            f"{steady.errors} of {steady.requests:,} failed."
        )
    if sizing := serving.sizing:
        wanted = f"{sizing.wanted_rate:,.4g} requests a second"
        words.append(
            f"For {wanted}: {sizing.instances} instances like this machine with "
            f"{threads_text(found.options.threads[0])} of a prediction, each given "
            f"{sizing.per_instance or 0:,.0f} requests/s: {sizing.why}."
            if sizing.instances
            else f"How many instances {wanted} take cannot be told: {sizing.why}."
        )
    return words


def _tail(steady: Level) -> str:
    return f"99 of 100 after {ms(steady.p99)}" if steady.p99 else "with too few for a p99"


def _chart(saturation: Saturation) -> list[Chart]:
    lines = []
    for name in QUANTILES:
        told = [(each.rate, getattr(each, name)) for each in saturation.levels]
        points = [(rate, value.value * 1000) for rate, value in told if value]
        if points:
            rates, times = zip(*points, strict=True)
            lines.append(Line(name, rates, times))
    caption = "Latency over the rate of requests"
    x, y = "requests/s that arrive", "milliseconds from when due"
    return [Chart(lines, x, y, caption=caption, log_x=True)] if lines else []


def _table(saturation: Saturation) -> Table:
    shown = [*saturation.levels]
    if saturation.steady and saturation.steady not in shown:
        shown.append(saturation.steady)
    rates, counts = ("requests/s", "answered/s"), ("requests", "errors")
    times = ("p50 ms", "p90 ms", "p99 ms")
    formats = dict.fromkeys(rates, ",.0f") | dict.fromkeys(counts, ",d")
    return Table(
        [*rates, *counts, *times, "kept up"],
        [_level_row(each) for each in sorted(shown, key=lambda level: level.rate)],
        formats | dict.fromkeys(times, ".3g"),
        caption="What the server did at each rate; - where there were too few requests",
    )


def _saturation_words(serving: Serving) -> str:
    saturation = serving.saturation
    how = (
        " The scoring server of the endpoints was loaded with requests of a row each at random "
        "moments, as they come from many callers, at rising rates."
    )
    if saturation.held is None:
        return (
            "No rate of requests was surely kept up with: the time is too short, or the model "
            f"slow.{how}"
        )
    most = f"{saturation.held.achieved:,.0f} requests a second"
    if saturation.lost is None:
        return f"It kept up with all that were sent, to {most}.{how}"
    return (
        f"It kept up with {most}, and no longer with {saturation.lost.rate:,.0f}: its saturation "
        f"point lies in between.{how}"
    )


def _level_row(level: Level) -> list[Cell]:
    told = [
        None if each is None else each.value * 1000 for each in (level.p50, level.p90, level.p99)
    ]
    counts = [level.rate, level.achieved, level.requests, level.errors]
    return [*counts, *told, "yes" if level.is_kept_up else "no"]

"""A comparison as JSON, as a table, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from candidates import Candidate
from verdict import Verdict, reason

from stepkit.program import markdown_table
from stepkit.table import digest

#: Head of the table of models.
HEAD = (
    *("model", "value", "interval", "behind", "interval of it"),
    *("kind", "size", "trained", "a row", "rows a second"),
)


def document(
    candidates: Sequence[Candidate], verdict: Verdict, resamples: int, data: Path
) -> dict[str, Any]:
    """Return what `comparison.json` says."""
    first = candidates[0]
    models = [_described(each, verdict, place) for place, each in enumerate(candidates)]
    return {
        "task": first.model.task,
        "target": first.model.target,
        "metric": verdict.metric,
        "rows": len(first.scores.truth),
        "resamples": resamples,
        "confidence": verdict.confidence,
        "test_data_digest": digest(data),
        "best": candidates[verdict.best].name,
        "recommended": candidates[verdict.recommended].name,
        "reason": reason(candidates, verdict),
        "models": models,
        "pairs": [
            {
                "first": first_name,
                "second": second_name,
                "better_by": pair.value,
                "interval": [pair.low, pair.high],
            }
            for (first_name, second_name), pair in verdict.pairs.items()
        ],
    }


def _described(each: Candidate, verdict: Verdict, place: int) -> dict[str, Any]:
    behind = verdict.behind[place]
    return {
        "name": each.name,
        "value": verdict.values[place],
        "interval": list(verdict.intervals[place]),
        "behind": behind.value,
        "behind_interval": [behind.low, behind.high],
        "is_significantly_worse": behind.is_certain,
        "kind": each.kind,
        **asdict(each.cost),
        "metrics": each.scores.metrics,
        "training_run_id": each.model.metadata.get("training_run_id"),
    }


def rows_of(candidates: Sequence[Candidate], verdict: Verdict) -> list[tuple[str, ...]]:
    """Return the table's rows as text, the best model first."""
    rows: list[tuple[str, ...]] = []
    for place in sorted(range(len(candidates)), key=lambda place: verdict.behind[place].value):
        each, behind = candidates[place], verdict.behind[place]
        low, high = verdict.intervals[place]
        trained = each.cost.training_seconds
        rows.append(
            (
                each.name + (" *" if place == verdict.recommended else ""),
                f"{verdict.values[place]:.4f}",
                f"{low:.4f} to {high:.4f}",
                "best" if place == verdict.best else f"{behind.value:.4f}",
                "" if place == verdict.best else f"{behind.low:.4f} to {behind.high:.4f}",
                each.kind,
                f"{each.cost.bytes / 1e6:.2f} MB",
                "-" if trained is None else f"{trained:.1f} s",
                f"{each.cost.row_milliseconds:.1f} ms",
                f"{each.cost.rows_per_second:,.0f}",
            )
        )
    return rows


def report(candidates: Sequence[Candidate], verdict: Verdict, resamples: int) -> str:
    """Return the report as Markdown."""
    first = candidates[0]
    shown = [
        name for name in first.scores.metrics if all(name in c.scores.metrics for c in candidates)
    ]
    metrics = [
        (each.name, *(f"{each.scores.metrics[name]:.4f}" for name in shown)) for each in candidates
    ]
    pairs = [
        (a, b, f"{pair.value:.4f}", f"{pair.low:.4f} to {pair.high:.4f}")
        for (a, b), pair in verdict.pairs.items()
    ]
    parts = [
        f"# Comparison of models for {first.model.target}",
        f"**{reason(candidates, verdict)}.**",
        f"By {verdict.metric} on {len(first.scores.truth):,} test rows; {verdict.confidence:.0%} "
        f"intervals of a paired bootstrap of {resamples:,} resamples. * is recommended.",
        markdown_table(HEAD, rows_of(candidates, verdict)),
        "![comparison](comparison.png)",
        "## All metrics",
        markdown_table(("model", *shown), metrics),
    ]
    if pairs:
        head = ("model", "than", f"better by {verdict.metric}", "interval")
        parts += ["## Every two", markdown_table(head, pairs)]
    return "\n\n".join(parts) + "\n"

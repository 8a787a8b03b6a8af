"""The report of a profile, as text, JSON, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from profile_results import Profile

from stepkit.figures import Figure
from stepkit.findings import Cell, Section, Table
from stepkit.program import markdown_table

HEAD = ("figure", "value", "interval", "sample", "champion", "note")


def number(value: float | None) -> str:
    """Return a value as text."""
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def rows_of(made: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return the figures as text rows."""
    rows: list[tuple[str, ...]] = []
    for each in made:
        name = f"{each.name} [{each.cohort}]" if each.cohort else each.name
        value = "insufficient" if each.value is None else f"{number(each.value)} {each.unit}"
        interval = "" if each.low is None else f"{number(each.low)} to {number(each.high)}"
        against = number(each.against.value) if each.against else ""
        rows.append((name, value.strip(), interval, f"{each.sample:,}", against, each.note))
    return rows


def details(found: Profile) -> dict[str, Any]:
    """Return every measurement, for `profile.json`."""
    timing = found.timing
    latencies = {"row": timing.row, "batch": timing.batch}
    if timing.rival:
        latencies |= {"champion_row": timing.rival.row, "champion_batch": timing.rival.batch}
    serving = found.serving
    return {
        "options": asdict(found.options),
        "rows": found.rows,
        "starts": list(found.starts),
        "milliseconds": {
            name: {
                "rows": each.rows,
                "calls": [round(seconds * 1000, 4) for seconds in each.seconds.tolist()],
            }
            for name, each in latencies.items()
        },
        "throughput": [asdict(each) for each in timing.throughput],
        "memory": {"calls": found.soak.calls.tolist(), "mb": found.soak.mb.tolist()},
        "levels": [asdict(each) for each in serving.saturation.levels] if serving else [],
        "not_served": found.not_served,
    }


def report(
    parts: Sequence[Section], made: Sequence[Figure], line: str, pictures: Mapping[str, str]
) -> str:
    """Return the report as Markdown; the plots, by file what is to be seen, come at its end."""
    texts = ["# Processing performance", line + "."]
    for part in parts:
        texts.append(f"## {part.title}" + (f" ({part.verdict})" if part.verdict else ""))
        texts += part.words
        for block in part.blocks:
            if isinstance(block, Table):
                cells = [tuple(_text(cell) for cell in row) for row in block.rows]
                texts.append(markdown_table(tuple(block.head), cells))
    texts += ["## All figures", markdown_table(HEAD, rows_of(made))]
    texts += [f"![{alt}]({file})" for file, alt in pictures.items()]
    return "\n\n".join(texts) + "\n"


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, float) else str(cell)

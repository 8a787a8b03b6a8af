"""How a model does on parts of the test rows, and where it does worse than chance explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

from evaluation_figures import PartFigures
from evaluation_words import number, share

from stepkit.cohorts import SMALL
from stepkit.figures import Figure
from stepkit.findings import Bars, Cell, Choice, Section, Table

#: A cohort's error beyond this many times that of all rows is a warning.
MUCH_WORSE = 2.0
_MOST_NAMED = 3


def worse(parts: Sequence[PartFigures], confidence: float) -> list[PartFigures]:
    """Return the cohorts that do worse than all rows beyond chance, the worst first.

    A cohort that is not small is one where its first figure is worse than that of all rows by more
    than chance explains: a normal test of its mean loss against that of the other rows, with pooled
    spread, at a level divided by the number of cohorts (Bonferroni), since of many some are always
    worse.
    """
    able = [each for each in parts if not each.part.is_small and each.error > 0]
    if not able:
        return []
    z = NormalDist().inv_cdf(1 - (1 - confidence) / len(able))
    found = [each for each in able if each.behind / each.error > z]
    return sorted(found, key=lambda each: -each.behind)


def section(parts: Sequence[PartFigures], overall: Figure, confidence: float) -> Section | None:
    """Return what a reader sees of cohorts; None where there are none."""
    if not parts:
        return None
    columns = list(dict.fromkeys(each.part.column for each in parts))
    found = worse(parts, confidence)
    assert overall.value is not None
    much = [each for each in found if each.behind > (MUCH_WORSE - 1) * overall.value]
    show = share if overall.name == "error_rate" else number
    words = [
        f"{_named(found, overall, show)} Over all rows its {_what(overall)} is "
        f"{show(overall.value)}.",
        "An average can hide that a model fails for some. Here the test rows are parted by "
        f"{', '.join(columns)}; numbers are cut into parts of about equal size.",
        f"Cohorts of fewer than {SMALL} rows are called small: their figures may be chance.",
    ]
    options = {
        name: _blocks([each for each in parts if each.part.column == name]) for name in columns
    }
    return Section(
        "Does it do as well for everyone?",
        words,
        [Choice("column", options)],
        verdict="warning" if much else "",
    )


def _what(figure: Figure) -> str:
    return {"error_rate": "share of errors", "mae": "mean error"}[figure.name]


def _named(found: Sequence[PartFigures], overall: Figure, show: Callable[[float], str]) -> str:
    if not found:
        return "No cohort does worse than chance explains."
    at = overall.value or 0.0
    named = [
        f"{each.part.name} ({show(at + each.behind)}, {len(each.part.rows):,} rows)"
        for each in found[:_MOST_NAMED]
    ]
    more = len(found) - len(named)
    rest = f", and {more} more" if more else ""
    return f"It does worse, beyond what chance explains, for {', '.join(named)}{rest}."


def _blocks(parts: Sequence[PartFigures]) -> list[Bars | Table]:
    first = next(iter(parts[0].figures))
    drawn = [each.figures[first] for each in parts if each.figures[first].value is not None]
    whole = all(each.low is not None for each in drawn)
    bars = Bars(
        [each.cohort.partition("=")[2] for each in drawn],
        [each.value for each in drawn if each.value is not None],
        first,
        [each.low for each in drawn if each.low is not None] if whole else (),
        [each.high for each in drawn if each.high is not None] if whole else (),
        f"{first} of each cohort, with its interval.",
    )
    return [bars, table(parts)]


def table(parts: Sequence[PartFigures]) -> Table:
    """Return every figure of cohorts, with intervals, as a table."""
    names = list(parts[0].figures)
    head = ["cohort", "rows", "share of rows"]
    for name in names:
        head += [name, f"{name} from", f"{name} to"]
    rows: list[list[Cell]] = []
    for each in parts:
        small = " (small)" if each.part.is_small else ""
        row: list[Cell] = [f"{each.part.value}{small}", len(each.part.rows), each.part.coverage]
        for name in names:
            figure = each.figures[name]
            row += [figure.value, figure.low, figure.high]
        rows.append(row)
    formats = {"rows": ",d", "share of rows": ".1%"}
    return Table(head, rows, formats, f"By {parts[0].part.column}.")


def csv_rows(parts: Sequence[PartFigures]) -> list[tuple[str, ...]]:
    """Return every figure of every cohort as rows of a CSV file, the head first."""
    head = ("column", "value", "rows", "coverage", "metric", "figure", "low", "high", "note")
    rows = [
        (
            each.part.column,
            each.part.value,
            str(len(each.part.rows)),
            f"{each.part.coverage:.6f}",
            figure.name,
            *(
                "" if end is None else f"{end:.6g}"
                for end in (figure.value, figure.low, figure.high)
            ),
            figure.note,
        )
        for each in parts
        for figure in each.figures.values()
    ]
    return [head, *rows]

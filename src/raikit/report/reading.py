"""Reads what the steps wrote back into the values of `stepkit.findings`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raikit.report.contents import Part
from stepkit import figures, findings
from stepkit.findings import (
    Bars,
    Block,
    Chart,
    Choice,
    Grid,
    Line,
    Node,
    Picture,
    Section,
    Table,
    Thresholds,
    Tree,
)
from stepkit.program import StepError

_PLAIN: dict[str, type[Table | Picture | Bars | Grid | Thresholds]] = {
    each.kind: each for each in (Table, Picture, Bars, Grid, Thresholds)
}


def read_part(folder: Path, name: str, title: str) -> Part:
    """Read a step's report: its findings, its figures where it has any, and its pictures.

    Args:
        folder: The step's output.
        name: Of the part.
        title: Of the part.

    Raises:
        StepError: There are no findings, or they or the figures cannot be read.
    """
    document = findings.read_findings(folder)
    has_figures = (folder / figures.FILE).is_file()
    return Part(
        name=name,
        title=title,
        sections=read_sections(document, folder / findings.FILE),
        figures=figures.read_figures(folder).figures if has_figures else (),
        pictures=folder,
    )


def read_sections(document: Mapping[str, Any], source: Path) -> tuple[Section, ...]:
    """Return the sections of a `findings.json`.

    Args:
        document: What `stepkit.findings.read_findings` returned.
        source: Its file, for the error.

    Raises:
        StepError: A section is not as `stepkit.findings` has it.
    """
    try:
        return tuple(_section(each) for each in document["sections"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StepError(
            f"{source} cannot be read: {error!r}",
            hint="run the step that writes it again, with the stepkit that is here",
        ) from error


def _section(document: Mapping[str, Any]) -> Section:
    return Section(
        title=document["title"],
        words=tuple(document["words"]),
        blocks=tuple(_block(each) for each in document.get("blocks", ())),
        verdict=document.get("verdict", ""),
    )


def _block(document: Mapping[str, Any]) -> Block:
    given = dict(document)
    kind = given.pop("kind")
    if kind == Chart.kind:
        return Chart(**{**given, "lines": tuple(_line(each) for each in given["lines"])})
    if kind == Tree.kind:
        return Tree(**{**given, "nodes": tuple(Node(**each) for each in given["nodes"])})
    if kind == Choice.kind:
        options = {
            name: tuple(_block(each) for each in blocks)
            for name, blocks in given["options"].items()
        }
        return Choice(given["label"], options)
    if kind not in _PLAIN:
        raise ValueError(f"no kind of block {kind!r}")
    return _PLAIN[kind](**given)


def _line(document: Mapping[str, Any]) -> Line:
    line = Line(**document)
    for other in (line.y, line.low, line.high):
        if other and len(other) != len(line.x):
            raise ValueError(f"line {line.name!r} has {len(line.x)} x and {len(other)} y")
    return line

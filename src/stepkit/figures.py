"""Figures that a model is judged by, each with its interval and what it stands on.

Every step that examines a model writes a `figures.json`; the gate and the report read them all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from stepkit.program import StepError, read_format, write_json

Area = Literal[
    "predictive", "generalisation", "processing", "fairness", "data", "interpretation", "errors"
]
FILE = "figures.json"
_FORMAT = 1
_NO_LETTER = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Against:
    """The same figure of the champion, from the same rows and the same run.

    Attributes:
        version: The champion's version in the registry.
        value: Its figure.
        difference: The model's figure minus the champion's.
        low: Lower bound of the paired interval of the difference; None where there is none.
        high: Upper bound.
    """

    version: str
    value: float
    difference: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """One figure about a model.

    Attributes:
        name: Lower case words with underscores; of a part of the rows or of a column, the part is
            in `cohort` and not in the name.
        area: Which question it answers.
        value: None where it could not be told; `note` then says why.
        better: Whether more or less of it is better; None where neither is.
        sample: How many rows, or measurements, it stands on.
        low: Lower bound of its interval; None where it is exact or has none.
        high: Upper bound.
        level: Of the interval.
        unit: Such as `ms` or `rows/s`; empty for shares and for what has none.
        cohort: The part of the rows that it is of, such as `sex=Female`; empty for all.
        against: The champion's figure; None where there is none.
        note: What a reader must know, such as why there is no value.
    """

    name: str
    area: Area
    value: float | None
    better: Literal["more", "less"] | None
    sample: int
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    unit: str = ""
    cohort: str = ""
    against: Against | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.value is None and not self.note:
            raise ValueError(f"figure {self.name} has neither a value nor a note")
        for each in (self.value, self.low, self.high):
            if each is not None and not math.isfinite(each):
                raise ValueError(f"figure {self.name} is {each}; give None and a note")


@dataclass(frozen=True)
class Figures:
    """What a step found out about one model.

    Attributes:
        step: The component's name.
        model_digest: SHA-256 of the model's folder (`stepkit.table.digest`).
        test_data_digest: Of the rows that it was judged on; empty where none were.
        figures: In the order to be read in.
    """

    step: str
    model_digest: str
    test_data_digest: str
    figures: Sequence[Figure] = field(default_factory=tuple)


def mlflow_metrics(figures: Iterable[Figure]) -> dict[str, float]:
    """Return the figures that have a value, by names that MLflow and Azure ML take.

    Of a part of the rows that is `NAME.PART`, with an underscore for what is no letter or digit of
    ASCII, dot, or hyphen.
    """
    return {
        f"{each.name}.{_NO_LETTER.sub('_', each.cohort)}" if each.cohort else each.name: each.value
        for each in figures
        if each.value is not None
    }


def write_figures(folder: Path, found: Figures) -> None:
    """Write `figures.json` into a step's report."""
    write_json(folder / FILE, {"format": _FORMAT, **asdict(found)})


def read_figures(folder: Path) -> Figures:
    """Read what `write_figures` wrote.

    Args:
        folder: A step's report.

    Raises:
        StepError: It is not there, or not of this format.
    """
    path = folder / FILE
    document = read_format(path, _FORMAT)
    try:
        return Figures(
            step=str(document["step"]),
            model_digest=str(document["model_digest"]),
            test_data_digest=str(document["test_data_digest"]),
            figures=tuple(_figure(each) for each in document["figures"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        shown = json.dumps(str(error))
        raise StepError(f"{path} cannot be read: {shown}", hint="run its step again") from error


def _figure(document: Mapping[str, Any]) -> Figure:
    against = document.get("against")
    given: dict[str, Any] = {**document, "against": Against(**against) if against else None}
    return Figure(**given)

"""Names and values of figures for people, and which terms a text uses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from raikit.report.terms import FIGURES, WORDS
from raikit.report.words import NOTHING, Term, number
from stepkit.figures import Figure

_PREFIXES = {
    "gap_": "{}: worse on test rows than on training rows by",
    "cv_": "{} in cross-validation",
    "train_": "{} on training rows",
    "test_": "{} on test rows",
}
_SUFFIXES = {
    "_weighted": "{}, classes weighted by size",
    "_macro": "{}, averaged over the classes",
    "_difference": "{}, difference between groups",
    "_ratio": "{}, ratio between groups",
}
_SHORT = frozenset({"auc", "cv", "ece", "ks", "mae", "mse", "npv", "p50", "p90", "p99", "rmse"})
_UNITS = re.compile(r"_(?:ms|s|mb|rps|rows_s|mb_per_1000|s_per_1000)$")


def label(name: str) -> str:
    """Return what people read for a figure: its known name, or its words."""
    if name in FIGURES:
        return FIGURES[name].name
    for prefix, form in _PREFIXES.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in FIGURES:
            return form.format(FIGURES[name.removeprefix(prefix)].name)
    for suffix, form in _SUFFIXES.items():
        if name.endswith(suffix) and name.removesuffix(suffix) in FIGURES:
            return form.format(FIGURES[name.removesuffix(suffix)].name)
    words = _UNITS.sub("", name).split("_")
    text = " ".join(word.upper() if word in _SHORT else word for word in words if word)
    return text[:1].upper() + text[1:]


def _form(figure: Figure) -> str:
    """Return the format of a figure's numbers; of a difference that of what differs."""
    if figure.unit:
        return ""
    if figure.name in FIGURES:
        return FIGURES[figure.name].format
    for prefix in _PREFIXES:
        if figure.name.startswith(prefix) and figure.name.removeprefix(prefix) in FIGURES:
            return FIGURES[figure.name.removeprefix(prefix)].format
    for suffix in _SUFFIXES:
        if figure.name.endswith(suffix) and figure.name.removesuffix(suffix) in FIGURES:
            return ".3f" if suffix != "_weighted" else ""
    return ""


def shown(figure: Figure) -> str:
    """Return a figure's value with its unit."""
    if figure.value is None:
        return NOTHING
    text = number(figure.value, _form(figure))
    return f"{text} {figure.unit}" if figure.unit else text


def shown_interval(figure: Figure) -> str:
    """Return a figure's interval; an empty text where it has none."""
    if figure.low is None or figure.high is None:
        return ""
    form = _form(figure)
    return f"{number(figure.low, form)} to {number(figure.high, form)}"


def shown_difference(figure: Figure) -> str:
    """Return how a figure differs from the champion's; an empty text where there is none."""
    against = figure.against
    if against is None:
        return ""
    form = _form(figure)
    sign = "+" if against.difference > 0 else ""
    text = f"{sign}{number(against.difference, form)}"
    if against.low is not None and against.high is not None:
        text += f" ({number(against.low, form)} to {number(against.high, form)})"
    return f"{text} against {number(against.value, form)} of version {against.version}"


def terms_in(text: str, figures: Iterable[str]) -> list[Term]:
    """Return the terms that a text uses, and those of figures, in the order of the alphabet."""
    found = {name: FIGURES[name] for name in figures if name in FIGURES}
    found |= {
        pattern: term
        for pattern, term in WORDS.items()
        if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE if not pattern.isupper() else 0)
    }
    return sorted(found.values(), key=lambda term: term.name.casefold())

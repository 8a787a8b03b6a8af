"""Results as JSON, YAML, tables, and tab-separated values, as the Azure CLI writes them."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from amlocal.cli.terminal import ASCII_MARKS, Terminal
from amlocal.cli.text import LEAST_FIRST, table
from amlocal.errors import UsageError


def plain(value: Any) -> Any:
    """Return a plan value as dicts, lists, and scalars, with every field whether set or not.

    Numbers that JSON lacks become the strings that MLflow's REST API uses for them.
    """
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def select(data: Any, query: str) -> Any:
    """Return what a JMESPath query selects, its keys in the order of the query.

    Raises:
        UsageError: The query is not JMESPath.
    """
    import jmespath  # 30 ms that only --query pays

    try:
        return jmespath.search(query, data, jmespath.Options(dict_cls=OrderedDict))
    except jmespath.exceptions.JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"--query {query!r} is not JMESPath: {reason}",
            hint="for example --query \"[?status=='Failed'].name\"",
        ) from error


def render(data: Any, form: str, terminal: Terminal) -> str:
    """Return the text of plain data in a format of `-o`."""
    if form == "none":
        return ""
    if form in {"json", "jsonc"}:
        text = json.dumps(data, indent=2, ensure_ascii=terminal.marks is ASCII_MARKS) + "\n"
        return _coloured(text, "json", terminal) if form == "jsonc" else text
    if form in {"yaml", "yamlc"}:
        import yaml  # 30 ms that only this format pays

        text = yaml.safe_dump(_ordinary(data), sort_keys=False, allow_unicode=True)
        return _coloured(text, "yaml", terminal) if form == "yamlc" else text
    if form == "tsv":
        return _tsv(data)
    rows = [_row(item) for item in (data if isinstance(data, list) else [data])]
    return render_table(rows, terminal, optional=())  # a query says which columns it wants


def render_table(
    rows: Sequence[Mapping[str, str]], terminal: Terminal, *, optional: Sequence[str] = LEAST_FIRST
) -> str:
    """Return a table, cut to the width of a terminal and whole elsewhere.

    On a narrow terminal the `optional` columns are left out, the first one first.
    """
    if not rows:
        return ""
    width = terminal.width if terminal.is_terminal else None
    return table(rows, width=width, ellipsis=terminal.marks.ellipsis, optional=optional)


def _ordinary(data: Any) -> Any:
    """Return data without the ordered dicts of a query, which YAML would tag."""
    if isinstance(data, dict):
        return {key: _ordinary(item) for key, item in data.items()}
    return [_ordinary(item) for item in data] if isinstance(data, list) else data


def _coloured(text: str, language: str, terminal: Terminal) -> str:
    """Return source text with colours, where the terminal has them."""
    if not terminal.has_colour:
        return text
    from rich.console import Console  # with the lexers 150 ms that only these formats pay
    from rich.syntax import Syntax

    console = Console(file=terminal.stream, force_terminal=True, width=terminal.width)
    with console.capture() as capture:
        console.print(Syntax(text, language, theme="ansi_dark", background_color="default"))
    return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())


def _row(item: Any) -> dict[str, str]:
    """Return the cells of one result: knack's rules, which leave out nulls and nested values."""
    if isinstance(item, dict):
        return {
            key[:1].upper() + key[1:]: str(value)
            for key, value in item.items()
            if value is not None and not isinstance(value, dict | list)
        }
    if isinstance(item, list):
        return {f"Column{i}": str(value) for i, value in enumerate(item, start=1)}
    return {"Result": "" if item is None else str(item)}


def _tsv(data: Any) -> str:
    """Return tab-separated values without a header.

    The rules are knack's (`knack.output._TsvOutput`): an object's values go by the order of its
    query, else by the order of its keys; a nested list is its length, a nested object is empty.
    """
    if data is None:
        return ""
    lines = []
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, OrderedDict):
            values = list(item.values())
        elif isinstance(item, dict):
            values = [value for _, value in sorted(item.items())]
        elif isinstance(item, list):
            values = item
        else:
            values = [str(item).lower() if isinstance(item, bool) else item]
        lines.append("\t".join(map(_tsv_cell, values)) + "\n")
    return "".join(lines)


def _tsv_cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    return "" if isinstance(value, dict) else str(value)

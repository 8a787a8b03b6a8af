"""The frame of a step program: its errors, its exit code, and how it writes files."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn


class StepError(Exception):
    """A step cannot do its work, or a gate is closed.

    Attributes:
        message: What is wrong.
        hint: The next thing to do, or an empty string.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message


def run(main: Callable[[], None]) -> NoReturn:
    """Run a program's `main` and exit: 0, or 1 with the text of a `StepError` on stderr."""
    try:
        main()
    except StepError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def boolean(text: str) -> bool:
    """Parse a boolean argument; `bool("False")` is true, so argparse's `type=bool` will not do.

    Raises:
        argparse.ArgumentTypeError: The text is neither `true` nor `false`, in any case.
    """
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false") from None


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of names."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def cores() -> int:
    """Return how many threads to use: `OMP_NUM_THREADS`, else the cores this process may use."""
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if limit.isdigit() and int(limit) > 0:
        return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file whole or not at all; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(document, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file that another step wrote.

    Raises:
        StepError: It is not there, or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(f"{path} is not there", hint="give the step that writes it") from None
    except ValueError as error:
        raise StepError(f"{path} is not JSON: {error}") from error


def read_format(path: Path, number: int) -> dict[str, Any]:
    """Read a JSON file of which `format` says how it is to be read.

    Raises:
        StepError: It is not there, or not of this format.
    """
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != number:
        raise StepError(
            f"{path} is not of format {number}", hint="run the step that writes it again"
        )
    return document


def text_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out rows of text in columns, for a terminal."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out rows of text as a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )

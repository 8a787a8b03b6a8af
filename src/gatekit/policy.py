"""A policy: what a model's figures must be before it is released.

::

    name: release
    require:                              # a model that breaks one is refused
      - figure: auc
        for: classification
        at_least: 0.8
        minimum_sample: 500
        because: below this it ranks little better than chance
      - figure: rmse
        for: regression
        no_worse_than_champion: {by: 5%}
    advise:                               # said, but nothing hangs on it
      - figure: recall
        cohort: every sex
        at_least: 0.5
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast, get_args

from gatekit.fields import Entry, Problem, Reader
from stepkit.program import StepError

Kind = Literal["at_least", "at_most", "no_worse_than_champion", "better_than_champion"]
Task = Literal["classification", "regression"]

KINDS: tuple[Kind, ...] = get_args(Kind)
TASKS: tuple[Task, ...] = get_args(Task)
EVERY_COHORT = "every cohort"
_RULE = ("figure", *KINDS, "for", "cohort", "minimum_sample", "because")
_POLICY = ("name", "description", "require", "advise")
_FIGURE = re.compile(r"[a-z0-9_]+")
_SHORT = re.compile(r"(?P<figure>\w+)\s*(?P<sign>>=|<=)\s*(?P<limit>[-+.\deE]+)(?:[\s,;]+|$)")


class PolicyError(StepError):
    """A policy does not say what is wanted; holds every problem, each with its line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Condition:
    """What a figure must be.

    Attributes:
        kind: How it is compared.
        limit: With what: a bound of the figure, or the margin to the champion's.
        is_share: Whether the margin is a share of the champion's figure.
    """

    kind: Kind
    limit: float
    is_share: bool = False

    @property
    def needs_champion(self) -> bool:
        """Whether there is nothing to judge without a champion."""
        return self.kind in ("no_worse_than_champion", "better_than_champion")

    def __str__(self) -> str:
        limit = f"{100 * self.limit:g}%" if self.is_share else f"{self.limit:g}"
        words = self.kind.replace("_", " ")
        if not self.needs_champion:
            return f"{words} {limit}"
        return f"{words} by {limit}" if self.limit else words


@dataclass(frozen=True)
class Rule:
    """One thing that is wanted of a model.

    Attributes:
        figure: The figure's name.
        condition: What it must be.
        is_required: Whether a model that breaks it is refused.
        cohort: The part of the rows: empty for all of them, a cohort's name, `every cohort`, or
            `every COLUMN` for those of one column.
        task: The task that it is for; None for both.
        minimum_sample: How many rows or measurements the figure must stand on.
        because: Why it is wanted.
        line: Where it stands in its file; 0 where it stands in none.
    """

    figure: str
    condition: Condition
    is_required: bool = True
    cohort: str = ""
    task: Task | None = None
    minimum_sample: int = 0
    because: str = ""
    line: int = 0

    def covers(self, cohort: str) -> bool:
        """Return whether a figure of a cohort is one that the rule is about."""
        if self.cohort == EVERY_COHORT:
            return bool(cohort)
        if self.cohort.startswith("every "):
            column = self.cohort.removeprefix("every ")
            return cohort == column or cohort.startswith(f"{column}=")
        return cohort == self.cohort

    def __str__(self) -> str:
        where = f" ({self.cohort})" if self.cohort else ""
        return f"{self.figure}{where} {self.condition}"


@dataclass(frozen=True)
class Policy:
    """What is wanted of a model.

    Attributes:
        name: For reports.
        rules: The required ones first.
        description: What it is for.
    """

    name: str
    rules: tuple[Rule, ...]
    description: str = ""


def read_policy(path: Path, *, name: str = "") -> Policy:
    """Read a policy's file.

    Args:
        path: The file.
        name: What problems call it; the path where it is empty.

    Raises:
        PolicyError: The file is not there, or wrong; holds every problem.
    """
    file = name or str(path)
    if path.is_dir():  # as an input of type `uri_file` arrives where a folder was given for it
        raise PolicyError([Problem(file, 0, "this is a folder", "give the YAML file in it")])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = "docs/gate.md says what a policy looks like"
        raise PolicyError([Problem(file, 0, "no such file", hint)]) from None
    except UnicodeDecodeError as error:
        raise PolicyError([Problem(file, 0, f"this is no text: {error}")]) from error
    return parse_policy(text, file)


def parse_policy(text: str, file: str = "policy") -> Policy:
    """Read a policy.

    Args:
        text: YAML.
        file: What problems call it.

    Raises:
        PolicyError: It is wrong; holds every problem.
    """
    reader = Reader(file)
    fields = reader.mapping(reader.document(text), _POLICY, "a policy")
    rules = [
        rule
        for part in ("require", "advise")
        for entry in reader.items(fields.get(part), part, "a list of rules")
        if (rule := _rule(reader, entry, is_required=part == "require")) is not None
    ]
    if not reader.problems and not rules:
        reader.note(1, "the policy has no rule", "add `require:` with `- figure: ...` below it")
    policy = Policy(
        name=reader.text(fields.get("name")) or Path(file).stem,
        rules=tuple(rules),
        description=reader.text(fields.get("description")),
    )
    if reader.problems:
        raise PolicyError(sorted(reader.problems, key=lambda each: each.line))
    return policy


def parse_short(text: str) -> tuple[Rule, ...]:
    """Read required rules in short: `auc>=0.9 error_rate<=0.14`; `none` for none.

    They are parted by spaces, commas, or semicolons.

    Raises:
        StepError: It does not read so.
    """
    rest = text.strip()
    rules = []
    while rest and rest.lower() != "none":
        match = _SHORT.match(rest)
        if match is None:
            raise StepError(f"cannot read threshold {rest!r}", hint="write it as: auc>=0.9 r2>=0.2")
        try:
            limit = float(match["limit"])
        except ValueError:
            message = f"{match['limit']!r}, a threshold of {match['figure']}, is no number"
            raise StepError(message) from None
        kind: Kind = "at_least" if match["sign"] == ">=" else "at_most"
        rules.append(Rule(match["figure"], Condition(kind, limit)))
        rest = rest[match.end() :]
    return tuple(rules)


def _rule(reader: Reader, entry: Entry, *, is_required: bool) -> Rule | None:
    """Build a rule, or note what is wrong with it and return None."""
    before = len(reader.problems)
    fields = reader.mapping(entry, _RULE, "a rule")
    figure = reader.text(fields.get("figure"))
    if "figure" not in fields:
        misspelt = entry.is_mapping and any(get_close_matches("figure", entry.keys))
        if entry.is_mapping and not misspelt:
            reader.note(entry.line, "a rule names no figure", "add `figure: auc`")
    elif not _FIGURE.fullmatch(figure):
        message = f"{figure!r} is no name of a figure"
        reader.note(fields["figure"].line, message, "such as `latency_row_p99_ms`")
    condition = _condition(reader, entry, fields)
    task = reader.choice(fields.get("for"), TASKS)
    sample = reader.number(fields.get("minimum_sample"), least=0, whole=True)
    if condition is None or len(reader.problems) > before:
        return None
    return Rule(
        figure=figure,
        condition=condition,
        is_required=is_required,
        cohort=reader.text(fields.get("cohort")),
        task=cast("Task | None", task),
        minimum_sample=int(sample or 0),
        because=reader.text(fields.get("because")),
        line=entry.line,
    )


def _condition(reader: Reader, entry: Entry, fields: dict[str, Entry]) -> Condition | None:
    kinds = [kind for kind in KINDS if kind in fields]
    if len(kinds) != 1:
        misspelt = any(get_close_matches(kind, set(entry.keys) - set(_RULE)) for kind in KINDS)
        if entry.is_mapping and not misspelt:
            what = f"has {' and '.join(kinds)}" if kinds else "says nothing of its figure"
            hint = "make two rules of it" if kinds else f"add one of {', '.join(KINDS)}"
            reader.note(entry.line, f"a rule {what}", hint)
        return None
    kind = kinds[0]
    if kind in ("at_least", "at_most"):
        limit = reader.number(fields[kind])
        return None if limit is None else Condition(kind, limit)
    margin = reader.mapping(fields[kind], ("by",), kind).get("by")
    if margin is None:
        if fields[kind].is_mapping and not fields[kind].keys:
            return Condition(kind, 0.0)
        return None
    is_share = reader.text(margin).endswith("%")
    limit = reader.number(margin, least=0, percent=True)
    return None if limit is None else Condition(kind, limit, is_share)

"""How `aml component diff` tells what changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.cli.fakes import FakeLocalClient, aml

from amlocal.content import Content, Facts
from amlocal.errors import NotFoundError

SHORT, LONG = (
    "Trains a model.",
    "Trains a model, and says of each column how much it counts for it.",
)


@dataclass
class Components:
    """Components whose contents are given by version."""

    contents: dict[str, Facts]
    asked: list[Any] = field(default_factory=list)

    def content(self, name: str, version: str | None = None, label: str | None = None) -> Content:
        latest = version or max(self.contents)
        if latest not in self.contents:
            raise NotFoundError(f"no version of component {name} named {latest!r}")
        return Content("component", name, latest, self.contents[latest])

    def content_of(self, asset: Any, *, overrides: Any = ()) -> Content:
        self.asked.append(asset)
        facts = {"inputs": {}, "command": "python b.py"}
        return Content("component", "train", str(asset), facts)


@pytest.fixture
def client() -> FakeLocalClient:
    port = {"type": "integer", "default": 1}
    found = FakeLocalClient()
    found.components = Components(  # type: ignore[assignment]
        {
            "1": {"inputs": {"n": port}, "command": "python a.py", "description": SHORT},
            "2": {"inputs": {}, "command": "python b.py", "description": LONG},
        }
    )
    return found


def test_changes_are_told_by_part_and_long_ones_below_each_other(client: FakeLocalClient) -> None:
    outcome = aml("component", "diff", "-n", "train", "--from", "1", client=client, tty=True)
    lines = outcome.out.splitlines()
    assert lines[0].startswith("component train: 1 (sha-")
    assert lines[1:] == [
        "",
        "interface",
        "  inputs.n: integer, default 1 -> absent",
        "",
        "command",
        "  command: python a.py -> python b.py",
        "",
        "other",
        "  description:",
        f"    - {SHORT}",
        f"    + {LONG}",
    ]
    assert max(map(len, lines)) <= 80


def test_a_file_is_compared_with_the_latest_version(client: FakeLocalClient) -> None:
    outcome = aml("component", "diff", "train.yml", "-o", "json", client=client)
    found = json.loads(outcome.out)
    assert (found["name"], found["from"], found["to"]) == ("train", "2", "train.yml")
    assert [each["what"] for each in found["differences"]] == ["description"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("train.yml --to 2", "a file and --to cannot both be given"),
        ("-n train", "give -n NAME --from VERSION, or a FILE"),
        ("-n train --from 7", "no version of component train named '7'"),
    ],
)
def test_what_cannot_be_compared(client: FakeLocalClient, argv: str, message: str) -> None:
    outcome = aml("component", "diff", *argv.split(), client=client)
    assert outcome.code == 2
    assert message in outcome.err

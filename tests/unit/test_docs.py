"""What the pages tell readers to type: commands, files, programs, and links that are there."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from amlocal.cli.arguments import parse, split_words
from amlocal.cli.main import verbs_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LIFECYCLE = yaml.safe_load((ROOT / "jobs/lifecycle.yml").read_text())
#: Paths that a reader makes, or that stand for any.
THEIRS = re.compile(r"^(job|policy|ci|data|jobs/nightly)\b|[A-Z]{3,}|\$|://|^/")


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Give the blocks of a page that are in one of these languages, indentation taken off."""
    for indent, language, text in re.findall(
        r"^( *)```(\w*)\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL
    ):
        if language in languages:
            yield re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)


def commands() -> Iterator[Any]:
    """Give each command of `aml` as the words after it."""
    for page in PAGES:
        for block in blocks(page, "console", ""):
            for line in re.sub(r" *\\\n *", " ", block).splitlines():
                said = line.removeprefix("$ ")
                if said.startswith("aml "):
                    words = shlex.split(said.partition(" && ")[0], comments=True)[1:]
                    yield pytest.param(words, id=f"{page.stem}-{' '.join(words[:2])}")


def declared(component: str) -> dict[str, Any]:
    file = ROOT / "components" / component / "component.yml"
    loaded: dict[str, Any] = yaml.safe_load(file.read_text())
    return loaded


def steps() -> Iterator[Any]:
    """Give each step of a component that a page shows: page, component, and the step."""
    for page in PAGES:
        for block in blocks(page, "yaml"):
            found = yaml.safe_load(block)
            for step in found.values() if isinstance(found, dict) else ():
                file = str(step.get("component", "")) if isinstance(step, dict) else ""
                if "components/" in file and file.endswith("/component.yml"):
                    yield pytest.param(Path(file).parent.name, step, id=page.stem)


COMMANDS, STEPS = list(commands()), list(steps())


def test_commands_and_steps_are_found() -> None:
    assert len(COMMANDS) > 80
    assert len(STEPS) >= 5


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_is_one(words: list[str]) -> None:
    (noun, verb), rest = split_words(words)
    flags = parse(noun, verb, verbs_of(noun)[verb], rest)
    for name in ("file", "request_file"):
        given = str(getattr(flags, name, None) or "job.yml")
        assert THEIRS.search(given) or (ROOT / given).exists(), given


@pytest.mark.parametrize("words", COMMANDS)
def test_what_a_command_sets_of_the_lifecycle_is_there(words: list[str]) -> None:
    if not {"jobs/lifecycle.yml", "--set"} <= set(words):
        return
    for setting in words[words.index("--set") + 1 :]:
        name = re.split(r"[.=]", setting)
        if name[0] == "inputs":
            assert name[1] in LIFECYCLE["inputs"], setting
        elif name[0] == "jobs":
            step = Path(LIFECYCLE["jobs"][name[1]]["component"]).parent.name
            assert name[3] in declared(step)["inputs"], setting


@pytest.mark.parametrize(("component", "step"), STEPS)
def test_a_step_fits_its_component_and_those_before_it(component: str, step: Any) -> None:
    interface = declared(component)
    required = {
        name
        for name, field in interface["inputs"].items()
        if "default" not in field and not field.get("optional")
    }
    assert required <= step["inputs"].keys() <= interface["inputs"].keys()
    text = yaml.safe_dump(step)
    for name, output in re.findall(r"parent\.jobs\.(\w+)\.outputs\.(\w+)", text):
        before = Path(LIFECYCLE["jobs"][name]["component"]).parent.name
        assert output in declared(before)["outputs"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_programs_of_a_page_import_what_is_there(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                module = importlib.import_module(str(node.module))
                assert not [each.name for each in node.names if not hasattr(module, each.name)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            plain = (re.sub(r"[^\w -]", "", heading).strip().lower() for heading in headings)
            anchors = {heading.replace(" ", "-") for heading in plain}
            assert anchor in anchors, target

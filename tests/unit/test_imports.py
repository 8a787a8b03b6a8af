"""The import rules of docs/architecture.md, read off the source."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PROJECT = Path(__file__).parents[2]
#: The protocols of what both targets do.
OPERATIONS = ("endpoint_operations", "schedule_operations")
#: What each part of the package may import of it, beside itself.
ALLOWED = {
    "errors": set(),
    "files": set(),
    "plan": {"errors"},
    "spec": {"errors", "files", "plan", "version"},
    "local": {"errors", "files", "plan", "version"},
    "azure": {"errors", "files", "plan", "version"},
    "endpoint_operations": {"plan"},
    "schedule_operations": {"plan", "endpoint_operations"},
    "client": {"errors", "plan", "version", "spec", "local", "azure", *OPERATIONS},
    "scheduler": {"errors", "plan", "spec", "local"},
    "rollout": {"errors", "plan", "version", "endpoint_operations"},
    "cli": {"errors", "files", "plan", "version", "client", "rollout", *OPERATIONS},
}
#: Modules that take long to import, and the parts that may do so when they are loaded.
HEAVY = {"azure": {"spec", "azure"}, "mlflow": set(), "pandas": set(), "sklearn": set()}


@functools.cache
def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): (
            ast.parse(path.read_text())
        )
        for path in sorted((SOURCE / "amlocal").rglob("*.py"))
    }


def imported(tree: ast.AST, *, also_in_functions: bool) -> Iterator[str]:
    """Give what a module imports; what stands under TYPE_CHECKING does not count."""
    for node in ast.iter_child_nodes(tree):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if is_for_types or (is_function and not also_in_functions):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imported(node, also_in_functions=also_in_functions)


def part_of(module: str) -> str:
    names = module.split(".")
    return names[1] if len(names) > 1 else "version"


def test_a_module_imports_only_from_its_left() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules().items()
        if module != "amlocal"
        for name in imported(tree, also_in_functions=True)
        if name.startswith("amlocal.")
        and part_of(name) in ALLOWED
        and part_of(name) not in ALLOWED[part_of(module)] | {part_of(module)}
    ]
    assert wrong == []


@pytest.mark.parametrize("heavy", HEAVY)
def test_heavy_modules_are_imported_only_where_they_are_needed(heavy: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules().items()
        for name in imported(tree, also_in_functions=part_of(module) in {"cli", "local"})
        if name.split(".")[0] == heavy and part_of(module) not in HEAVY[heavy]
    ]
    assert wrong == []


def test_there_are_no_import_cycles() -> None:
    trees = modules()
    graph = {
        module: {
            name
            for name in imported(tree, also_in_functions=False)
            if name in trees and name != module and not module.startswith(f"{name}.")
        }
        for module, tree in trees.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert set(order) == set(trees)


def test_step_programs_never_import_amlocal() -> None:
    programs = [*(PROJECT / "components").rglob("*.py"), *(SOURCE / "stepkit").rglob("*.py")]
    wrong = [
        f"{path.name} imports {name}"
        for path in programs
        for name in imported(ast.parse(path.read_text()), also_in_functions=True)
        if name.split(".")[0] == "amlocal"
    ]
    assert programs
    assert wrong == []


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("amlocal", {"amlocal", "gatekit"}),
        ("automlkit", {"automlkit", "automlmodel", "stepkit"}),
        ("automlmodel", {"automlmodel"}),
        ("gatekit", {"gatekit", "stepkit"}),
        ("parallelkit", {"parallelkit", "stepkit"}),
        ("raikit", {"raikit", "stepkit"}),
        ("scoringserver", {"scoringserver"}),
        ("stepkit", {"stepkit"}),
    ],
)
def test_packages_know_of_each_other_what_they_must(package: str, allowed: set[str]) -> None:
    own = {
        *("amlocal", "automlkit", "automlmodel", "gatekit", "parallelkit", "raikit"),
        *("scoringserver", "stepkit"),
    }
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in (SOURCE / package).rglob("*.py")
        for name in imported(ast.parse(path.read_text()), also_in_functions=True)
        if name.split(".")[0] in own - allowed
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["job", "--help"], ["job", "list"], ["workspace", "show"]]
)
def test_quick_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from amlocal.cli.main import main; "
        f"main({arguments!r}, environ={{'AMLOCAL_HOME': {str(tmp_path / 'w')!r}, 'PATH': ''}}); "
        "heavy = {'azure.ai.ml', 'mlflow', 'pandas', 'yaml', 'rich', 'jmespath', 'pyarrow'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
    assert not (tmp_path / "w").exists()

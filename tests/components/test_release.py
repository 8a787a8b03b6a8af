from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import release
from aml_command import Aml

from stepkit.program import StepError

#: Answers by the words of a command, from a file; what was asked is appended to another.
PROGRAM = """\
import json, pathlib, sys
folder, asked = pathlib.Path(sys.argv[1]), sys.argv[2:]
with (folder / "asked").open("a") as file:
    file.write(json.dumps(asked) + "\\n")
for words, answers in json.loads((folder / "answers").read_text()):
    if words == asked[:len(words)]:
        number = sum(json.loads(line)[:len(words)] == words for line in open(folder / "asked"))
        code, answer = answers[min(number, len(answers)) - 1]
        if code == 3:
            sys.exit("error: no such thing")
        print(json.dumps(answer))
        sys.exit(code)
"""
STAGE = {"stage": "traffic 100 %", "outcome": "passed"}
DONE = {"outcome": "completed", "reason": "", "traffic": {"version-2": 100}, "stages": [STAGE] * 4}
TAGS = {"decision": "champion", "event": "7", "data_window": "a/b", "job": "retrain_7", "x": "y"}


class World:
    """A workspace, by what its command line answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "program.py").write_text(PROGRAM)
        self.version: dict[str, Any] = {"tags": dict(TAGS), "aliases": ["champion"]}
        self.endpoint: dict[str, Any] = {
            "traffic": {"version-1": 100},
            "deployments": ["version-1"],
        }
        self.deployment: dict[str, Any] = {"provisioning_state": "Succeeded"}
        self.rollout: tuple[int, Any] = (0, DONE)
        self.versions: list[dict[str, Any]] = []

    def release(self, *arguments: str) -> dict[str, Any]:
        answers = [
            (["model", "show"], [(0, each) for each in self.versions or [self.version]]),
            (["online-endpoint", "show"], [(0, self.endpoint)]),
            (["online-deployment", "show"], [(0, self.deployment)]),
            (["online-deployment", "rollout"], [self.rollout]),
            (["online-deployment", "create"], [(0, {})]),
            (["online-deployment", "delete"], [(0, None)]),
            (["schedule", "update"], [(0, {})]),
        ]
        (self.folder / "answers").write_text(json.dumps(answers))
        given = ["--model-name", "income", "--model-version", "2", "--endpoint-name", "adult"]
        report = self.folder / "report"
        args = release.parse([*given, "--files", "files", "--report", str(report), *arguments])
        program = (sys.executable, str(self.folder / "program.py"), str(self.folder))
        return vars(release.release(Aml(args.target, {}, program), args))

    @property
    def asked(self) -> list[str]:
        lines = (self.folder / "asked").read_text().splitlines()
        return [" ".join(json.loads(line)) for line in lines]

    def acts(self) -> list[str]:
        """Return what was done, without what was only looked at."""
        return [each for each in self.asked if each.split()[1] != "show"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_champion_is_deployed_rolled_out_and_watched(world: World) -> None:
    told = world.release("--monitors", "drift,decay", "--delete-old", "true")
    assert (told["outcome"], told["reason"]) == ("released", "4 stages passed")
    assert told["deployment"] == "version-2"
    create, rollout, drift, decay, delete = world.acts()
    assert create.startswith(
        "online-deployment create -f files/version.yml -n version-2 -e adult "
        "--set model=azureml:income:2 "
    )
    # So that its lineage can be followed from the deployment.
    assert "tags.event=7 tags.data_window=a/b tags.model_job=retrain_7" in create
    assert "tags.x" not in create
    assert rollout.startswith(
        "online-deployment rollout -f files/release.yml "
        "--set deployment_name=version-2 endpoint_name=adult --target local"
    )
    target = "create_monitor.monitoring_target.endpoint_deployment_id=azureml:adult:version-2"
    assert drift.startswith(f"schedule update -n drift --set {target}")
    assert decay.startswith("schedule update -n decay ")
    assert delete.startswith("online-deployment delete -n version-1 -e adult --yes")


@pytest.mark.parametrize(
    ("decision", "reason"),
    [({"decision": "challenger"}, "the gate made it challenger"), ({}, "no gate has judged it")],
)
def test_what_the_gate_did_not_make_champion_is_not_released(
    world: World, decision: dict[str, str], reason: str
) -> None:
    world.version = {"tags": decision, "aliases": []}
    told = world.release("--monitors", "drift")
    assert (told["outcome"], told["reason"]) == ("skipped", reason)
    assert world.acts() == []


def test_a_version_gets_its_alias_just_after_it_is_registered(world: World) -> None:
    fresh = {"tags": TAGS, "aliases": None}
    world.versions = [fresh, {"tags": {**TAGS, "alias.champion": "true"}, "aliases": None}]
    assert world.release()["outcome"] == "released"
    assert world.asked[0] == world.asked[1]


def test_who_is_champion_no_more_is_not_released(world: World) -> None:
    world.version = {"tags": TAGS, "aliases": []}
    told = world.release("--alias-seconds", "0")
    assert (told["outcome"], told["reason"]) == ("skipped", "another version is champion now")


def test_a_rollout_that_returned_fails_the_release_and_moves_no_monitor(world: World) -> None:
    world.rollout = (1, {**DONE, "outcome": "returned", "reason": "shadow: error rate 3 %"})
    with pytest.raises(StepError, match=r"not released: returned: shadow: error rate 3 %") as told:
        world.release("--monitors", "drift", "--delete-old", "true")
    assert "aml model promote -n income" in told.value.hint
    assert [each.split()[1] for each in world.acts()] == ["create", "rollout"]


def test_an_interrupted_release_goes_on(world: World) -> None:
    world.endpoint["deployments"] = ["version-1", "version-2"]
    world.endpoint["tags"] = {"amlocal_rollout": '{"to":"version-2","state":"running","stage":1}'}
    world.release()
    (rollout,) = world.acts()
    assert "--resume" in rollout


def test_a_deployment_that_failed_is_made_again(world: World) -> None:
    world.endpoint["deployments"] = ["version-1", "version-2"]
    world.deployment = {"provisioning_state": "Failed"}
    world.release()
    create, rollout = world.acts()
    assert (create.split()[1], "--resume" in rollout) == ("create", False)


def test_what_serves_already_is_watched_only(world: World) -> None:
    world.endpoint = {"traffic": {"version-2": 100, "version-1": 0}, "deployments": ["version-2"]}
    assert world.release("--monitors", "drift")["outcome"] == "serving"
    assert [each.split()[0] for each in world.acts()] == ["schedule"]


def test_the_first_version_gets_all_traffic_at_once(world: World) -> None:
    world.endpoint = {"traffic": {}, "deployments": []}
    told = world.release()
    assert (told["outcome"], told["traffic"]) == ("released", {"version-2": 100})
    assert world.acts()[-1].startswith("online-deployment rollout --to version-2 -e adult")


def test_a_command_that_fails_is_told_with_what_it_said(world: World) -> None:
    world.rollout = (3, None)
    with pytest.raises(StepError, match=r"`aml online-deployment rollout.*no such thing"):
        world.release()


def test_commands_are_for_the_target_and_for_the_workspace_of_the_job() -> None:
    given = {"AMLOCAL_WORKSPACE": "/w", "PATH": "p"}
    assert Aml.of_job("local", given).environ["AMLOCAL_HOME"] == "/w"
    assert "AMLOCAL_HOME" not in Aml.of_job("azure", given).environ


def test_a_version_that_is_not_released_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    from stepkit.tracking import Untracked

    told = release.Release("income:2", "adult", outcome="skipped", reason="no gate has judged it")
    release.conclude(told, Untracked())
    assert capsys.readouterr().out == "NOT RELEASED income:2: no gate has judged it\n"

"""Triggers, from their files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.unit.spec.files import Write

from amlocal.errors import SpecError, UsageError
from amlocal.plan.trigger import Trigger, TriggerConditions, TriggerEvent
from amlocal.spec import load_trigger
from amlocal.spec.trigger import json_schema, seconds_of

PROJECT = Path(__file__).parents[3]
EXAMPLES = sorted((PROJECT / "jobs" / "triggers").glob("*.yml"))
SHORT = """
    name: retrain
    event: {type: drift}
    create_job: job.yml
"""


@pytest.fixture(autouse=True)
def job(tmp_path: Path) -> Path:
    file = tmp_path / "job.yml"
    file.write_text("type: command")
    return file


def problems(file: Path, *settings: str) -> list[str]:
    with pytest.raises(SpecError) as told:
        load_trigger(file, overrides=settings)
    return [str(problem).removeprefix(f"{file.name}:") for problem in told.value.problems]


def test_every_field_reaches_the_trigger(write: Write, tmp_path: Path) -> None:
    file = write(
        t="""
        $schema: https://example.org/trigger.schema.json
        name: retrain
        display_name: Train anew
        description: When data came.
        tags: {team: risk, level: 2}
        event:
          type: new_data
          path: incoming
        conditions:
          minimum_rows: 1000
          cool_down: P1DT2H
          one_run_at_a_time: false
          settled_for: 0.5
        create_job:
          job: job.yml
          experiment_name: retraining
          inputs:
            data: {type: uri_folder, path: "${{event.path}}", mode: ro_mount}
            reference: {path: data/old.csv}
            event: ${{event.id}} of ${{trigger.name}}
            epochs: 3
        """
    )
    assert load_trigger(file) == Trigger(
        name="retrain",
        event=TriggerEvent(type="new_data", path=str(tmp_path / "incoming")),
        job=str(tmp_path / "job.yml"),
        inputs={
            "data": {"type": "uri_folder", "path": "${{event.path}}", "mode": "ro_mount"},
            "reference": {"path": str(tmp_path / "data/old.csv")},
            "event": "${{event.id}} of ${{trigger.name}}",
            "epochs": 3,
        },
        experiment_name="retraining",
        conditions=TriggerConditions(
            minimum_rows=1000, cool_down=93600, one_run_at_a_time=False, settled_for=0.5
        ),
        display_name="Train anew",
        description="When data came.",
        tags={"team": "risk", "level": "2"},
        source=file.name,
    )


def test_the_shortest_trigger(write: Write, tmp_path: Path) -> None:
    file = write(t="name: now\nevent: on_demand\ncreate_job: job.yml\n")
    expected = Trigger(
        name="now",
        event=TriggerEvent(type="on_demand"),
        job=str(tmp_path / "job.yml"),
        source=file.name,
    )
    assert load_trigger(file) == expected


def test_flags_win_over_the_file(write: Write) -> None:
    trigger = load_trigger(write(t=SHORT), overrides=["conditions.cool_down=60"], name="other")
    assert (trigger.name, trigger.conditions.cool_down) == ("other", 60)
    with pytest.raises(UsageError, match="cannot read the setting"):
        load_trigger(write(t=SHORT), overrides=["x"])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        *(("PT90S", 90), ("P1D", 86400), ("P2W", 1209600), ("PT1H30M", 5400), ("PT0.5S", 0.5)),
        *((60, 60), ("60", 60), (1.5, 1.5)),
    ],
)
def test_durations(said: object, seconds: float) -> None:
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["P", "PT", "P1", "1h", "PT1D", "P1M", True, None, []])
def test_what_is_no_duration(said: object) -> None:
    assert seconds_of(said) is None


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("event.type=drit", "3: 'event.type' cannot be 'drit'; did you mean 'drift'?"),
        ("event={type: new_model_version}", "lacks the field 'model'"),
        ("event={type: new_data}", "lacks the field 'path'"),
        ("event={monitor: weekly}", "an event lacks the field 'type'"),
        ("event.path=x", "an event drift has no 'path'; it takes monitor:"),
        ("conditions.minimum_rows=5", "an event drift has no rows or files"),
        ("conditions.cool_down=1h", "'conditions.cool_down' cannot be '1h'; give seconds"),
        ("conditions.cool_down=-1", "'conditions.cool_down' cannot be -1"),
        ("conditions.cooldown=1", "no field 'cooldown' in the conditions; did you mean"),
        ("name=a b", "'a b' cannot be a trigger's name"),
        ("create_job=jop.yml", "did you mean 'job.yml'?"),
        ("create_job={job: job.yml, input: {}}", "no field 'input' in create_job"),
        ("create_job={inputs: {}}", "create_job lacks the field 'job'"),
        ("create_job={job: job.yml, inputs: {x: [1]}}", "'create_job.inputs.x' is a list"),
        ("create_job={job: job.yml, inputs: {x: {type: uri_file}}}", "lacks the field 'path'"),
    ],
)
def test_what_is_wrong_is_told(write: Write, setting: str, problem: str) -> None:
    told = problems(write(t=SHORT), setting)
    assert len(told) == 1
    assert problem.split(": ", 1)[-1] in told[0]
    assert told[0].startswith(f"--set {setting}")


def test_problems_have_their_lines_and_come_at_once(write: Write) -> None:
    file = write(
        t="""\
        name: retrain
        evnt: {type: drift}
        conditions:
          minimum_rows: -1
        create_job:
          job: job.yml
          inputs:
            signal: ${{event.signl}}
        """
    )
    assert problems(file) == [
        "2: no field 'evnt' in a trigger; did you mean 'event'?",
        "4: an event on_demand has no rows or files: 'minimum_rows' is of new_data; remove it",
        "4: 'minimum_rows' is -1; give a whole number from 0",
    ]


def test_an_event_tells_only_what_its_type_tells(write: Write) -> None:
    file = write(
        t="""\
        name: retrain
        event: {type: drift, monitor: weekly}
        create_job:
          job: job.yml
          inputs:
            a: ${{event.signal}}
            b: x ${{event.signl}}
            c: {path: "${{event.path}}"}
            d: ${{inputs.a}}
        """
    )
    first, *others = problems(file)
    expected = "7: an event drift has no 'event.signl'; did you mean 'event.signal'?"
    assert first == expected
    assert [each.partition(";")[0] for each in others] == [
        "8: an event drift has no 'event.path'",
        "9: an event drift has no 'inputs.a'",
    ]


def test_a_pinned_version_never_changes(write: Write) -> None:
    file = write(
        t="name: a\nevent: {type: new_data, path: 'azureml:adult:3'}\ncreate_job: job.yml\n"
    )
    (told,) = problems(file)
    assert told.endswith("never changes; write azureml:adult, to hear of each new version")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_are_right_and_as_the_schema_says(file: Path) -> None:
    assert load_trigger(file).name
    jsonschema.validate(yaml.safe_load(file.read_text()), json_schema())


def test_the_schema_in_docs_is_the_one_that_files_are_checked_by() -> None:
    assert json.loads((PROJECT / "docs" / "trigger.schema.json").read_text()) == json_schema()


def test_the_schema_finds_what_the_check_finds() -> None:
    document = {"name": "a", "event": {"type": "drit"}, "create_job": "job.yml"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError, UsageError
from amlocal.plan import (
    CronTrigger,
    DataValue,
    JobChanges,
    LiteralValue,
    RecurrenceTrigger,
    Schedule,
    Settings,
)
from amlocal.plan.schedule import CreateJob, Frequency, RecurrencePattern, WeekDay
from amlocal.plan.slots import zone_of
from amlocal.plan.windows_zones import WINDOWS_ZONES
from amlocal.spec import check_schedule_for_azure, load_schedule
from amlocal.spec.sdk import quiet


def job_of(schedule: Schedule) -> CreateJob:
    assert isinstance(schedule.action, CreateJob)
    return schedule.action


JOB = """
type: pipeline
display_name: hello
inputs:
  greeting: hello
  data: {type: uri_file, path: ./job.yml}
jobs:
  a:
    command: echo ${{inputs.greeting}}
    environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
    inputs: {greeting: "${{parent.inputs.greeting}}"}
"""
COMMAND = """
type: command
experiment_name: mine
command: echo ${{inputs.n}}
environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
inputs: {n: 1}
"""
DAILY = 'trigger: {type: cron, expression: "0 6 * * *"}'


def test_every_field_of_a_schedule_reaches_the_plan(write: Write) -> None:
    file = write(
        job=JOB,
        nightly="""
        $schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
        name: nightly
        display_name: Nightly
        description: Trains.
        tags: {team: risk, level: 3}
        properties: {owner: me}
        trigger:
          type: cron
          expression: "0 6 * * *"
          start_time: "2026-07-10T10:00:00"
          end_time: "2027-07-10T10:00:00"
          time_zone: "Pacific Standard Time"
        create_job: ./job.yml
        """,
    )
    schedule = load_schedule(file)
    action = job_of(schedule)
    assert action.job is not None
    assert schedule == Schedule(
        name="nightly",
        display_name="Nightly",
        description="Trains.",
        tags={"team": "risk", "level": "3"},
        properties={"owner": "me"},
        trigger=CronTrigger(
            expression="0 6 * * *",
            start_time="2026-07-10T10:00:00",
            end_time="2027-07-10T10:00:00",
            time_zone="Pacific Standard Time",
        ),
        action=CreateJob(job=action.job),
        source="nightly.yml",
    )
    assert [step.name for step in action.job.steps] == ["a"]
    assert Schedule.from_json(schedule.to_json()) == schedule


def test_a_recurrence_reaches_the_plan(write: Write) -> None:
    file = write(
        job=JOB,
        weekly="""
        name: weekly
        trigger:
          type: Recurrence
          frequency: Week
          interval: 2
          schedule: {hours: [4, 5], minutes: 30, week_days: [Monday, friday]}
        create_job: job.yml
        """,
    )
    assert load_schedule(file, name="other").trigger == RecurrenceTrigger(
        frequency=Frequency.WEEK,
        interval=2,
        schedule=RecurrencePattern(
            hours=(4, 5), minutes=(30,), week_days=(WeekDay.MONDAY, WeekDay.FRIDAY)
        ),
    )
    assert load_schedule(file, name="other").name == "other"
    changed = load_schedule(file, overrides=["trigger.interval=3", "trigger.schedule=null"])
    assert changed.trigger == RecurrenceTrigger(frequency=Frequency.WEEK, interval=3)


@pytest.mark.parametrize(
    "create_job",
    [
        "create_job: ./job.yml",
        "create_job: azureml:hello_pipeline",
        "create_job: {type: pipeline, job: ./job.yml, settings: {continue_on_step_failure: true},"
        ' inputs: {greeting: "${{name}}"}, tags: {schedule: cron}}',
    ],
)
def test_the_examples_of_azure_compile(write: Write, create_job: str) -> None:
    """The shapes of the schedules in Azure's public examples."""
    file = write(job=JOB, cron=f"name: simple_cron_job_schedule\n{DAILY}\n{create_job}")
    action = job_of(load_schedule(file))
    assert (action.job is None) == bool(action.reference)
    assert action.reference in ("", "hello_pipeline")


def test_what_a_schedule_changes_of_a_job(write: Write) -> None:
    file = write(
        job=JOB,
        nightly=f"""
        name: nightly
        {DAILY}
        create_job:
          type: pipeline
          job: ./job.yml
          name: never
          display_name: other
          description: more
          experiment_name: trial
          tags: {{a: b}}
          properties: {{c: d}}
          settings: {{force_rerun: true}}
          inputs:
            greeting: at ${{{{creation_context.trigger_time}}}}
            data: {{path: ./nightly.yml}}
        """,
    )
    schedule = load_schedule(file)
    job = job_of(schedule).job
    assert job is not None
    assert (job.name, job.display_name, job.description) == (None, "other", "more")
    assert (job.experiment_name, job.tags, job.properties) == ("trial", {"a": "b"}, {"c": "d"})
    assert job.settings == Settings(force_rerun=True)
    assert job.inputs["greeting"] == LiteralValue(value="at ${{creation_context.trigger_time}}")
    # As the SDK merges: the type stays that of the job's own input.
    assert job.inputs["data"] == DataValue(path=str(file), type="uri_file")
    assert [warned.field for warned in schedule.warnings] == ["pipeline_create_job.name"]


def test_a_command_is_changed_likewise(write: Write) -> None:
    said = "{type: command, job: job.yml, inputs: {n: 7}, limits: {timeout: 60}}"
    file = write(job=COMMAND, s=f"name: s\n{DAILY}\ncreate_job: {said}")
    job = job_of(load_schedule(file)).job
    assert job is not None
    assert (job.inputs, job.steps[0].timeout) == ({"n": LiteralValue(value=7)}, 60)
    assert job.experiment_name == "mine"


def test_a_job_without_an_experiment_has_the_schedules_name(write: Write) -> None:
    job = job_of(load_schedule(write(job=JOB, s=f"name: s\n{DAILY}\ncreate_job: job.yml"))).job
    assert job is not None
    assert job.experiment_name == "s"


def test_changes_of_a_job_of_the_workspace(write: Write) -> None:
    said = (
        "{type: pipeline, job: 'azureml:hello', inputs: {n: 3}, tags: {a: b},"
        " settings: {default_compute: 'azureml:cpu'}}"
    )
    action = load_schedule(write(s=f"name: s\n{DAILY}\ncreate_job: {said}")).action
    assert action == CreateJob(
        reference="hello",
        changes=JobChanges(
            inputs={"n": LiteralValue(value=3)},
            tags={"a": "b"},
            settings=Settings(default_compute="cpu"),
        ),
    )


def test_every_time_zone_of_azure_is_known() -> None:
    from azure.ai.ml.constants import TimeZone

    for zone in TimeZone:
        assert zone.value in WINDOWS_ZONES
    for name in WINDOWS_ZONES:
        assert zone_of(name).key == WINDOWS_ZONES[name]
    assert WINDOWS_ZONES["W. Europe Standard Time"] == "Europe/Berlin"


PROBLEMS = {
    "a zone of the IANA": (
        'trigger: {type: cron, expression: "0 6 * * *", time_zone: Europe/Berlin}',
        "there is no time zone 'Europe/Berlin' in Azure's list; write 'W. Europe Standard Time'",
    ),
    "a zone in another case": (
        'trigger: {type: cron, expression: "0 6 * * *", time_zone: utc}',
        "there is no time zone 'utc' in Azure's list; write 'UTC'",
    ),
    "a misspelt zone": (
        'trigger: {type: cron, expression: "0 6 * * *", time_zone: Pacific Standart Time}',
        "did you mean 'Pacific Standard Time'?",
    ),
    "a wrong expression": (
        'trigger: {type: cron, expression: "0 25 * * *"}',
        "'0 25 * * *' is no cron expression: HOURS has 25, where the last is 23",
    ),
    "a start that is no time": (
        'trigger: {type: cron, expression: "0 6 * * *", start_time: "soon"}',
        "'trigger.start_time' 'soon' is no time; write it as",
    ),
    "a start without quotes": (
        'trigger: {type: cron, expression: "0 6 * * *", start_time: 2026-07-10T10:00:00}',
        "'trigger.start_time' must be text, not 2026-07-10 10:00:00; put it in quotes",
    ),
    "an end before the start": (
        'trigger: {type: cron, expression: "0 6 * * *", start_time: "2026-01-02T00:00:00",'
        ' end_time: "2026-01-01T00:00:00"}',
        "the schedule ends before it starts",
    ),
    "an interval of 0": (
        "trigger: {type: recurrence, frequency: day, interval: 0}",
        "'trigger.interval' must be from 1, not 0",
    ),
    "an unknown frequency": (
        "trigger: {type: recurrence, frequency: year, interval: 1}",
        "'trigger.frequency' cannot be 'year'",
    ),
    "an hour that is none": (
        "trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: [24],"
        " minutes: 0}}",
        "'trigger.schedule.hours' has 24; write a number from 0 to 23",
    ),
    "weekdays as the documentation has them": (
        "trigger: {type: recurrence, frequency: week, interval: 1, schedule: {hours: 1,"
        " minutes: 0, weekdays: [monday]}}",
        "no field named 'weekdays' in a recurrence pattern; did you mean 'week_days'?",
    ),
    "no type": ("trigger: {expression: x}", "'trigger' lacks its type; types: cron, recurrence"),
    "another type": ("trigger: {type: event}", "'trigger' cannot be of type 'event'"),
    "no trigger": ("tags: {}", "the schedule lacks the field 'trigger'"),
}


@pytest.mark.parametrize(("trigger", "said"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_are_told_with_their_place(write: Write, trigger: str, said: str) -> None:
    file = write(job=JOB, s=f"name: s\n{trigger}\ncreate_job: job.yml")
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert said in str(error.value)
    assert str(error.value).startswith("s.yml:")
    with pytest.raises(SpecError):
        check_schedule_for_azure(file, (), None)


def test_problems_of_the_job_come_with_those_of_the_schedule(write: Write) -> None:
    file = write(
        job=JOB.replace("command: echo", "comand: echo"),
        s='name: "s s"\n' + DAILY + "\ncreate_job:\n  type: pipeline\n  job: job.yml\n"
        "  settings:\n    continue_on_step_failure: maybe\n",
    )
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    told = str(error.value).splitlines()
    assert told[0].startswith("s.yml:1: 's s' cannot be a schedule's name")
    assert any(line.startswith("s.yml:7: ") and "true or false" in line for line in told)
    assert any(line.startswith("job.yml:9: ") and "'comand'" in line for line in told)


def test_a_change_that_is_wrong_is_told_by_the_schedules_line(write: Write) -> None:
    file = write(
        job=JOB,
        s=f"name: s\n{DAILY}\ncreate_job:\n  type: pipeline\n  job: job.yml\n  inputs:\n"
        "    data:\n      path: ./nowhere.csv\n",
    )
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert str(error.value).startswith("s.yml:8: the data 'nowhere.csv' is not there")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("create_job: nowhere.yml", "the job file 'nowhere.yml' is not there"),
        ("create_job: {type: pipeline}", "lacks the field 'job'"),
        ("create_job: {job: job.yml}", "'create_job' lacks its type; types: pipeline, command"),
        ("create_job: {type: pipeline, job: job.yml, comand: x}", "no field named 'comand'"),
        ("create_job: 3", "'create_job' must be"),
        ("description: none", "lacks the field 'create_job'"),
    ],
)
def test_what_is_no_job_is_refused(write: Write, said: str, hint: str) -> None:
    with pytest.raises(SpecError) as error:
        load_schedule(write(job=JOB, s=f"name: s\n{DAILY}\n{said}"))
    assert hint in str(error.value)


@pytest.mark.parametrize(
    "said",
    [
        "import_data: {}",
        "create_job: {type: spark, job: job.yml}",
        "create_job: {type: pipeline, job: 'azureml:x', outputs: {o: {type: uri_folder}}}",
    ],
)
def test_what_only_azure_does_is_left_to_its_client(write: Write, said: str) -> None:
    file = write(job=JOB, s=f"name: s\n{DAILY}\n{said}")
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert {problem.target for problem in error.value.problems} == {"local"}
    assert check_schedule_for_azure(file, (), None) is None


def test_what_does_not_count_is_warned_of(write: Write) -> None:
    cron = 'trigger: {type: cron, expression: "0 6 1 * *", start_time: "2026-01-01T00:00:00Z"}'
    file = write(job=JOB, s=f"name: s\n{cron}\ncreate_job: job.yml")
    warned = {each.field: each.message for each in load_schedule(file).warnings}
    assert list(warned) == ["trigger.start_time", "cron_trigger.expression DAYS"]
    assert "it is read as *" in warned["cron_trigger.expression DAYS"]
    daily = "frequency: day, interval: 1, schedule: {hours: 1, minutes: 0, month_days: 3}"
    file = write(job=JOB, s=f"name: s\ntrigger: {{type: recurrence, {daily}}}\ncreate_job: job.yml")
    (only,) = load_schedule(file).warnings
    assert (only.field, "the frequency is day" in only.message) == (
        "recurrence_pattern.month_days",
        True,
    )


def test_schedules_built_in_python(write: Write, sdk: Any) -> None:
    from azure.ai.ml.entities import CronTrigger as Cron
    from azure.ai.ml.entities import (
        JobSchedule,
    )
    from azure.ai.ml.entities import (
        RecurrencePattern as Pattern,
    )
    from azure.ai.ml.entities import (
        RecurrenceTrigger as Recurrence,
    )
    from azure.ai.ml.entities._load_functions import load_schedule as theirs

    command = sdk.command(
        command="echo hi", environment="azureml:e:1", inputs={"n": 3}, experiment_name="x"
    )
    built = JobSchedule(
        name="py",
        trigger=Recurrence(
            frequency="week", interval=1, schedule=Pattern(hours=3, minutes=[0, 30])
        ),
        create_job=command,
        tags={"a": "b"},
    )
    schedule = load_schedule(built)
    job = job_of(schedule).job
    assert job is not None
    assert job.inputs == {"n": LiteralValue(value=3)}
    assert schedule.trigger == RecurrenceTrigger(
        frequency=Frequency.WEEK,
        interval=1,
        schedule=RecurrencePattern(hours=(3,), minutes=(0, 30)),
    )
    named = JobSchedule(name="py", trigger=Cron(expression="0 * * * *"), create_job="azureml:old")
    assert load_schedule(named).action == CreateJob(reference="old")
    file = write(job=JOB, s=f"name: s\n{DAILY}\ncreate_job: job.yml")
    with quiet():
        loaded = theirs(file)
    assert load_schedule(loaded).trigger == load_schedule(file).trigger
    with pytest.raises(UsageError, match="this Command is no schedule"):
        load_schedule(command)


def test_what_is_no_yaml_or_nothing_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is empty"):
        load_schedule(write(s=""))
    with pytest.raises(SpecError, match="no such file"):
        load_schedule(tmp_path / "nowhere.yml")
